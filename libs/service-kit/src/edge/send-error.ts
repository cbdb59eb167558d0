import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { apiOfPath, pathOfTarget, type RouteApi } from '@mledger/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ids } from '../clock';
import { errorAnswer } from '../errors/error-forms';
import { DEPENDENCY_UNAVAILABLE, problemOf, type Problem } from '../errors/problem';
import type { Logger } from '../logger';

/** Lets a service say how its refusals are told in a protocol: `NO_CHANGES` is a 400 for lakeFS, say. */
export type ProblemMapper = (problem: Problem, api: RouteApi) => Problem;

/** Answers errors in the form of the API that was called, and logs those that nobody meant. */
export class ErrorSender {
  constructor(
    private readonly logger: Logger,
    private readonly ids: Ids,
    private readonly mapper: ProblemMapper = (problem) => problem,
  ) {}

  send(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
    const path = pathOfTarget(request.edge?.target ?? request.raw.url ?? '/');
    const api = request.edge?.api ?? apiOfPath(path);
    // A target that cannot be decoded is refused before the edge has given the request an id.
    const requestId = request.edge?.requestId ?? this.ids.uuidv7();
    const problem = this.mapper(gone(request) ? GONE : problemOf(error), api);
    const answer = errorAnswer(problem, api, { requestId, path });
    const fields = { method: request.method, path, status: answer.status, code: problem.code };
    if (answer.status >= 500 && problem.kind === 'internal') this.logger.error({ ...fields, error }, 'request failed');
    // Its stack says nothing, and while the database is away there is one of it for each request.
    else if (problem.code === DEPENDENCY_UNAVAILABLE)
      this.logger.warn({ ...fields, reason: String(error) }, 'request failed');
    else this.logger.debug({ ...fields, reason: problem.message }, 'request refused');
    if (reply.raw.headersSent || reply.sent) {
      // Half an answer went out already; only a cut connection tells the client that it is not whole.
      reply.raw.destroy();
      return;
    }
    // What the handler prepared for its own answer does not describe this one.
    for (const name of [
      'content-length',
      'content-disposition',
      'etag',
      'last-modified',
      'content-range',
      'cache-control',
    ])
      reply.removeHeader(name);
    reply.status(answer.status).headers({ ...answer.headers, 'x-request-id': requestId });
    void reply.send(request.method === 'HEAD' ? undefined : answer.body);
  }
}

/** Nobody reads this answer; it is here so that a client who hangs up is not taken for a failure of ours. */
const GONE: Problem = { kind: 'invalid', code: 'REQUEST_ABORTED', message: 'the client hung up within its request' };

function gone({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete;
}

/** Takes whatever a handler or the framework throws. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly sender: ErrorSender) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.sender.send(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), error);
  }
}
