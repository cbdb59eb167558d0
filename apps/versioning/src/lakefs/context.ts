import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ApiError, type Caller, type FastifyRequest } from '@mledger/service-kit';
import { Repositories, type Repository } from '../repository/repositories';
import type { BranchKey } from '../staging/staging';

/** Finds what the path of a request names, among what the caller's tenant has. */
@Injectable()
export class Located {
  constructor(private readonly repositories: Repositories) {}

  repository(caller: Caller, name: string): Promise<Repository> {
    return this.repositories.get(caller.tenant, name);
  }

  async branch(caller: Caller, name: string, branch: string): Promise<BranchKey> {
    return { repository: await this.repository(caller, name), branch };
  }
}

/** Only `If-None-Match: *` is known of a write's conditions; others would be taken for kept when they are not. */
export function isOnlyIfAbsent(headers: IncomingHttpHeaders): boolean {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch !== undefined || (ifNoneMatch !== undefined && ifNoneMatch !== '*')) throw ApiError.notImplemented();
  return ifNoneMatch === '*';
}

/** Where the client finds this server: what presigned URLs of our own begin with. */
export function originOf(request: FastifyRequest): string {
  const forwarded = request.headers['x-forwarded-proto'];
  return `${forwarded === 'https' ? 'https' : 'http'}://${request.headers.host ?? request.hostname}`;
}
