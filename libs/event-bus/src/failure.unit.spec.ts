import { CommandRefused } from '@mledger/event-log';
import { failureKind, TransientFailure } from './failure';

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

describe('whether another try may help', () => {
  it.each<[string, unknown, string]>([
    ['a refused connection', withCode('ECONNREFUSED'), 'transient'],
    ['a Postgres that shuts down', withCode('57P01'), 'transient'],
    ['too many connections', withCode('53300'), 'transient'],
    ['a full disk', withCode('53100'), 'transient'],
    ['a lock that was not to be had in time', withCode('55P03'), 'transient'],
    ['a connection lost by the driver', new Error('Connection terminated unexpectedly'), 'transient'],
    [
      'an object store that is throttling',
      Object.assign(new Error(), { $metadata: { httpStatusCode: 503 } }),
      'transient',
    ],
    ['what a handler declares so', new TransientFailure('the model is still loading'), 'transient'],
    ['a cause further down', new Error('failed', { cause: withCode('ECONNRESET') }), 'transient'],
    ["TypeORM's wrapping", Object.assign(new Error('query failed'), { driverError: withCode('08006') }), 'transient'],
    ['a serialization failure', withCode('40001'), 'conflict'],
    ['a deadlock', withCode('40P01'), 'conflict'],
    ['a broken constraint', withCode('23505'), 'permanent'],
    ['a value that does not fit', withCode('22001'), 'permanent'],
    ['a programming error', new TypeError('undefined is not a function'), 'permanent'],
    ['a refusal', new CommandRefused({ kind: 'not-found', code: 'NO_SUCH_MODEL', message: 'no' }), 'permanent'],
    ['something that is no error', 'oops', 'permanent'],
    ['nothing at all', undefined, 'permanent'],
  ])('%s', (_, error, kind) => {
    expect(failureKind(error)).toBe(kind);
  });
});
