import { HttpException } from '@nestjs/common';
import { AccessRefused } from '@mledger/access-control';
import { failureKind } from '@mledger/event-bus';
import { CommandRefused, ProjectionLagging, VersionConflict, type RefusalKind } from '@mledger/event-log';
import { ApiError } from './api-error';

/** What went wrong, before it is put into a protocol's form. */
export type ProblemKind =
  | RefusalKind
  | 'unauthenticated'
  | 'unlisted'
  | 'method-not-allowed'
  | 'unsupported-media-type'
  | 'too-many'
  | 'not-implemented'
  | 'unavailable'
  | 'internal';

export interface Problem {
  readonly kind: ProblemKind;
  /** Set where somebody chose it; else the form's own for this kind. */
  readonly status?: number;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** The code that S3 clients know it by. */
  readonly s3Code?: string;
  /** Further elements of S3's error document. */
  readonly s3Fields?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const KIND_OF_STATUS: Readonly<Record<number, ProblemKind>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'conflict',
  412: 'precondition',
  413: 'too-large',
  415: 'unsupported-media-type',
  422: 'unprocessable',
  429: 'too-many',
  501: 'not-implemented',
  503: 'unavailable',
};

const KIND_OF_ACCESS = {
  'bad-request': 'invalid',
  unauthenticated: 'unauthenticated',
  forbidden: 'forbidden',
  unavailable: 'unavailable',
} as const;

/** The database or the object store is away, restarts, or has no room: nobody's mistake, and over in a while. */
export const DEPENDENCY_UNAVAILABLE = 'DEPENDENCY_UNAVAILABLE';

/** Says what an error means for the caller. What nobody meant for callers becomes `internal`, without its message. */
export function problemOf(error: unknown): Problem {
  if (error instanceof CommandRefused) return error.refusal;
  if (error instanceof VersionConflict)
    return { kind: 'precondition', code: 'VERSION_CONFLICT', message: error.message };
  if (error instanceof ProjectionLagging) return { kind: 'unavailable', code: 'READ_LAGGING', message: error.message };
  if (error instanceof ApiError) {
    const { status, code, message, details, headers } = error;
    const kind = code === 'UNLISTED' ? 'unlisted' : kindOfStatus(status);
    return { kind, status, code, message, details, headers, s3Code: code };
  }
  if (error instanceof AccessRefused)
    return { kind: KIND_OF_ACCESS[error.refusal], code: error.code, message: error.message, s3Code: error.s3Code };
  const status = error instanceof HttpException ? error.getStatus() : statusOfFastify(error);
  if (status !== undefined && status >= 400 && status < 500) {
    const kind = kindOfStatus(status);
    return { kind, status, code: kind.replaceAll('-', '_').toUpperCase(), message: (error as Error).message };
  }
  if (failureKind(error) === 'transient')
    return {
      kind: 'unavailable',
      code: DEPENDENCY_UNAVAILABLE,
      message: 'something that this needs does not answer now: try again',
    };
  return {
    kind: 'internal',
    code: 'INTERNAL',
    message: 'something went wrong inside; the request id finds it in the logs',
  };
}

function kindOfStatus(status: number): ProblemKind {
  return KIND_OF_STATUS[status] ?? (status >= 500 ? 'internal' : 'invalid');
}

/** Fastify's own errors (a body over the limit, a target that cannot be decoded) say their status; others do not count. */
function statusOfFastify(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('FST_ERR_')) return undefined;
  return 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
}
