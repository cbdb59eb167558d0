import { STATUS_CODES } from 'node:http';
import type { RouteApi } from '@mledger/contracts';
import type { Problem, ProblemKind } from './problem';

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface FormContext {
  readonly requestId: string;
  /** Path of the request, as sent. */
  readonly path: string;
}

const STATUS: Readonly<Record<ProblemKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  unlisted: 404,
  'method-not-allowed': 405,
  exists: 409,
  conflict: 409,
  precondition: 412,
  'too-large': 413,
  'unsupported-media-type': 415,
  unprocessable: 422,
  'too-many': 429,
  internal: 500,
  'not-implemented': 501,
  unavailable: 503,
};

/** MLflow: what exists already is a 400 there, and its client would retry nothing else but 429 and 5xx. */
const MLFLOW: Readonly<Record<ProblemKind, readonly [status: number, code: string]>> = {
  invalid: [400, 'INVALID_PARAMETER_VALUE'],
  unauthenticated: [401, 'UNAUTHENTICATED'],
  forbidden: [403, 'PERMISSION_DENIED'],
  'not-found': [404, 'RESOURCE_DOES_NOT_EXIST'],
  unlisted: [404, 'ENDPOINT_NOT_FOUND'],
  'method-not-allowed': [405, 'ENDPOINT_NOT_FOUND'],
  exists: [400, 'RESOURCE_ALREADY_EXISTS'],
  conflict: [409, 'RESOURCE_CONFLICT'],
  precondition: [409, 'RESOURCE_CONFLICT'],
  'too-large': [413, 'INVALID_PARAMETER_VALUE'],
  'unsupported-media-type': [415, 'BAD_REQUEST'],
  unprocessable: [400, 'INVALID_PARAMETER_VALUE'],
  'too-many': [429, 'REQUEST_LIMIT_EXCEEDED'],
  internal: [500, 'INTERNAL_ERROR'],
  'not-implemented': [501, 'NOT_IMPLEMENTED'],
  unavailable: [503, 'TEMPORARILY_UNAVAILABLE'],
};

/** lakeFS tells a caller who may not by 401 too, and has no 422. */
const LAKEFS_STATUS: Readonly<Partial<Record<ProblemKind, number>>> = { unprocessable: 400 };

const S3: Readonly<Record<ProblemKind, readonly [status: number, code: string]>> = {
  invalid: [400, 'InvalidArgument'],
  unauthenticated: [403, 'AccessDenied'],
  forbidden: [403, 'AccessDenied'],
  'not-found': [404, 'NoSuchKey'],
  unlisted: [405, 'MethodNotAllowed'],
  'method-not-allowed': [405, 'MethodNotAllowed'],
  exists: [409, 'BucketAlreadyExists'],
  conflict: [409, 'OperationAborted'],
  precondition: [412, 'PreconditionFailed'],
  'too-large': [400, 'EntityTooLarge'],
  'unsupported-media-type': [415, 'InvalidRequest'],
  unprocessable: [400, 'InvalidRequest'],
  'too-many': [503, 'SlowDown'],
  internal: [500, 'InternalError'],
  'not-implemented': [501, 'NotImplemented'],
  unavailable: [503, 'SlowDown'],
};

/** Puts a problem into the form that callers of this API read. */
export function errorAnswer(problem: Problem, api: RouteApi, context: FormContext): ErrorAnswer {
  const status = problem.status ?? statusFor(problem, api);
  const headers = {
    ...(problem.kind === 'unauthenticated' && api !== 's3' && { 'www-authenticate': 'Basic realm="MLedger"' }),
    ...(problem.kind === 'unavailable' && { 'retry-after': '1' }),
    ...problem.headers,
  };
  const json = (body: object, type = 'application/json; charset=utf-8'): ErrorAnswer => ({
    status,
    headers: { ...headers, 'content-type': type },
    body: JSON.stringify(body),
  });
  switch (api) {
    case 'mlflow':
      return json({ error_code: mlflowCode(problem), message: problem.message });
    case 'lakefs':
      return json({ message: problem.kind === 'unlisted' ? 'invalid API endpoint' : problem.message });
    case 'oip':
      return json({ error: problem.message });
    case 'mledger':
      return json(problemDetails(problem, status, context), 'application/problem+json; charset=utf-8');
    case 's3':
      return { status, headers: { ...headers, 'content-type': 'application/xml' }, body: s3Error(problem, context) };
    case 'page':
      return {
        status,
        headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' },
        body: `${problem.message}\n`,
      };
  }
}

function statusFor(problem: Problem, api: RouteApi): number {
  if (api === 'mlflow') return MLFLOW[problem.kind][0];
  if (api === 's3') return S3[problem.kind][0];
  if (api === 'lakefs') {
    if (problem.code === 'ROLE_REQUIRED') return 401;
    return LAKEFS_STATUS[problem.kind] ?? STATUS[problem.kind];
  }
  return STATUS[problem.kind];
}

/** An edge that names one of MLflow's own codes is taken at its word. */
function mlflowCode(problem: Problem): string {
  const known = Object.values(MLFLOW).some(([, code]) => code === problem.code) || problem.code === 'INVALID_STATE';
  return known ? problem.code : MLFLOW[problem.kind][1];
}

/** RFC 9457. */
function problemDetails(problem: Problem, status: number, { requestId, path }: FormContext): object {
  return {
    type: `urn:mledger:problem:${problem.code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: problem.message,
    instance: path,
    code: problem.code,
    requestId,
    ...(problem.details && { details: problem.details }),
  };
}

function s3Error(problem: Problem, { requestId, path }: FormContext): string {
  // S3's codes are words in capitals; ours, in upper snake case, are not for its clients.
  const given =
    problem.s3Code !== undefined && /^[A-Z][A-Za-z0-9]*[a-z]/.test(problem.s3Code) ? problem.s3Code : undefined;
  const code = given ?? S3[problem.kind][1];
  const fields = {
    Code: code,
    Message: problem.message,
    Resource: path,
    Region: 'us-east-1',
    RequestId: requestId,
    HostId: requestId,
    ...problem.s3Fields,
  };
  const elements = Object.entries(fields).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${elements.join('')}</Error>`;
}

function escapeXml(text: string): string {
  // XML has no way to write most control characters.
  const printable = text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '?');
  return printable.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
