import type { ServiceName } from './service-name';
import { matchRoute } from './routes';

export interface RequestTarget {
  readonly method: string;
  /** Path and query, raw, as on the request line. */
  readonly target: string;
  readonly authorization: string | undefined;
}

const AWS_SIGNATURE_HEADER = /^AWS(4-HMAC-SHA256)? /;
const AWS_SIGNATURE_QUERY = /[?&](X-Amz-Signature|X-Amz-Algorithm|AWSAccessKeyId)=/i;

/** Whether a request carries an AWS signature, V4 or V2, in its header or its query: it is for S3, whatever its path. */
export function hasAwsSignature({ target, authorization }: Pick<RequestTarget, 'target' | 'authorization'>): boolean {
  return AWS_SIGNATURE_HEADER.test(authorization ?? '') || AWS_SIGNATURE_QUERY.test(target);
}

/** The service that answers a request, by the table of routes; undefined when nobody does, and it must be refused. */
export function ownerOfRequest(request: RequestTarget): ServiceName | undefined {
  if (hasAwsSignature(request)) return 'versioning';
  return matchRoute(request.method, pathOfTarget(request.target))?.service;
}

/** The raw path of a request target, without its query. */
export function pathOfTarget(target: string): string {
  const queryStart = target.indexOf('?');
  return queryStart < 0 ? target : target.slice(0, queryStart);
}
