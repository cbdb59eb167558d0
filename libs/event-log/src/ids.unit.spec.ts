import { v5 } from 'uuid';
import { CommandRefused } from './decider';
import { commandIdFor, eventId, lockKey, reactionCommandId, stream, STREAM_BYTES_MAX } from './ids';

describe('ids', () => {
  it('names a stream by tenant, kind and key', () => {
    expect(stream('acme', 'model-name', 'Iris / v2: ü')).toBe('acme/model-name:Iris / v2: ü');
  });

  it.each([
    ['Acme', 'model', 'x'],
    ['a', 'model', 'x'],
    ['acme/b', 'model', 'x'],
    ['acme', 'Model', 'x'],
    ['acme', 'model:', 'x'],
    ['acme', 'model', ''],
    ['acme', 'model', 'a\0'],
    ['acme', 'model', '\ud800'],
    ['acme', 'model', 'ü'.repeat(STREAM_BYTES_MAX / 2)],
  ])('refuses the stream %j %j %j', (tenant, kind, key) => {
    expect(() => stream(tenant, kind, key)).toThrow(CommandRefused);
  });

  it('computes event ids as UUIDv5, the same for the same event and never for another', () => {
    const namespace = v5('urn:mledger:event', v5.URL);
    expect(eventId('registry', 'acme/model:1', 3)).toBe(v5('registry\n3\nacme/model:1', namespace));
    const others = [
      eventId('registry', 'acme/model:1', 3),
      eventId('registry', 'acme/model:13', 3),
      eventId('registry', 'acme/model:1', 33),
      eventId('serving', 'acme/model:1', 3),
    ];
    expect(new Set(others).size).toBe(4);
  });

  it('keeps the command ids of clients and reactions apart', () => {
    const request = { tenant: 'acme', actor: 'user:ann', route: 'PUT /models/{name}', key: 'k' };
    expect(commandIdFor(request)).toBe(commandIdFor({ ...request }));
    expect(commandIdFor({ ...request, tenant: 'b', actor: 'c' })).not.toBe(commandIdFor(request));
    expect(reactionCommandId('e1', 'deploy')).not.toBe(reactionCommandId('e1', 'archive'));
  });

  it('hashes locks to 64 signed bits, apart by schema and purpose', () => {
    const keys = [lockKey('a', 'stream', 'x'), lockKey('b', 'stream', 'x'), lockKey('a', 'projection', 'x')];
    expect(new Set(keys).size).toBe(3);
    for (const key of keys) expect(BigInt.asIntN(64, key)).toBe(key);
  });
});
