import type { RouteApi } from '@mledger/contracts';
import { AccessRefused } from '@mledger/access-control';
import { CommandRefused, ProjectionLagging, type RefusalKind } from '@mledger/event-log';
import { ApiError } from './api-error';
import { errorAnswer } from './error-forms';
import { problemOf } from './problem';

const APIS: readonly RouteApi[] = ['mledger', 'mlflow', 'lakefs', 'oip', 's3', 'page'];
const context = { requestId: 'r1', path: '/x' };
const statuses = (error: unknown) => APIS.map((api) => errorAnswer(problemOf(error), api, context).status);
const refusal = (kind: RefusalKind) => new CommandRefused({ kind, code: 'SOME_CODE', message: 'no' });

describe('what an error is told as', () => {
  it.each([
    ['invalid', [400, 400, 400, 400, 400, 400]],
    ['not-found', [404, 404, 404, 404, 404, 404]],
    ['exists', [409, 400, 409, 409, 409, 409]],
    ['conflict', [409, 409, 409, 409, 409, 409]],
    ['forbidden', [403, 403, 403, 403, 403, 403]],
    ['precondition', [412, 409, 412, 412, 412, 412]],
    ['too-large', [413, 413, 413, 413, 400, 413]],
    ['unprocessable', [422, 400, 400, 422, 400, 422]],
  ] as const)('a refusal of kind %s: %j for mledger, mlflow, lakefs, oip, s3, page', (kind, expected) => {
    expect(statuses(refusal(kind))).toEqual(expected);
  });

  it.each([
    ['a bug', new Error('secret'), [500, 500, 500, 500, 500, 500]],
    ['something thrown that is no error', 'secret', [500, 500, 500, 500, 500, 500]],
    ['a database that says a status of its own', Object.assign(new Error('secret'), { statusCode: 404 }), [500, 500, 500, 500, 500, 500]], // prettier-ignore
    ['a database that is away', Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }), [503, 503, 503, 503, 503, 503]], // prettier-ignore
    ['a database that stops', new Error('wrapped', { cause: Object.assign(new Error('secret'), { code: '57P01' }) }), [503, 503, 503, 503, 503, 503]], // prettier-ignore
    ['a read that lags', new ProjectionLagging('models', 2000), [503, 503, 503, 503, 503, 503]],
    ['nobody', new AccessRefused('unauthenticated', 'UNAUTHENTICATED', 'no'), [401, 401, 401, 401, 403, 401]],
    ['a role that is missing', new AccessRefused('forbidden', 'ROLE_REQUIRED', 'no'), [403, 403, 401, 403, 403, 403]],
    [
      'a path nobody lists',
      new ApiError({ status: 404, code: 'UNLISTED', message: 'no' }),
      [404, 404, 404, 404, 404, 404],
    ],
  ])('%s', (_name, error, expected) => {
    expect(statuses(error)).toEqual(expected);
    for (const api of APIS) expect(errorAnswer(problemOf(error), api, context).body).not.toContain('secret');
  });

  it.each([
    ['a connection that was lost', new Error('Connection terminated unexpectedly')],
    ['keys that cannot be checked', new AccessRefused('unavailable', 'ACCESS_UNAVAILABLE', 'not now')],
    ['a service that is stopping', ApiError.unavailable('stopping')],
  ])('says when to try again after %s', (_name, error) => {
    for (const api of APIS) expect(errorAnswer(problemOf(error), api, context).headers['retry-after']).toBe('1');
  });

  it('has each API’s own form', () => {
    const answer = (api: RouteApi, error: unknown = refusal('exists')) => errorAnswer(problemOf(error), api, context);
    expect(JSON.parse(answer('mlflow').body)).toEqual({ error_code: 'RESOURCE_ALREADY_EXISTS', message: 'no' });
    expect(JSON.parse(answer('lakefs').body)).toEqual({ message: 'no' });
    expect(JSON.parse(answer('oip').body)).toEqual({ error: 'no' });
    expect(answer('mledger').headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(JSON.parse(answer('mledger').body)).toEqual({
      type: 'urn:mledger:problem:some-code',
      title: 'Conflict',
      status: 409,
      detail: 'no',
      instance: '/x',
      code: 'SOME_CODE',
      requestId: 'r1',
    });
    expect(answer('s3').body).toContain('<Error><Code>BucketAlreadyExists</Code><Message>no</Message>');
    expect(answer('page').body).toBe('no\n');
  });

  it.each(['NoSuchKey', 'XAmzContentSHA256Mismatch', 'ERRLakeFSNotSupported', 'ErrNoSuchBucketPossibleAPIEndpoint'])(
    'lets an edge say S3’s %s',
    (code) => {
      const error = new ApiError({ status: 404, code, message: '<&> \u0000' });
      const { body } = errorAnswer(problemOf(error), 's3', context);
      expect(body).toContain(`<Code>${code}</Code><Message>&#60;&#38;&#62; ?</Message>`);
    },
  );
});
