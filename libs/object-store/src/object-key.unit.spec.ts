import { assertKeyPrefix, assertObjectKey, newObjectKey } from './object-key';
import { ObjectStoreError } from './object-store';
import { HOSTILE_KEYS } from '../test/hostile-keys';

describe('object keys', () => {
  it.each(HOSTILE_KEYS)('refuse what %s', (_what, key) => {
    expect(() => assertObjectKey(key)).toThrow(ObjectStoreError);
  });

  it.each(HOSTILE_KEYS.filter(([, key]) => key !== '' && key !== 'a/'))('refuse it in a part: %s', (_what, id) => {
    expect(() => newObjectKey({ tenant: 'acme', service: 'versioning', ownerId: 'r1', id })).toThrow(ObjectStoreError);
  });

  it('are made of tenant, service, owner, two digits that spread them, and id', () => {
    const key = newObjectKey({ tenant: 'acme', service: 'versioning', ownerId: 'r1', id: '0197a2c4' });
    expect(key).toMatch(/^acme\/versioning\/r1\/[0-9a-f]{2}\/0197a2c4$/);
    expect(() => assertObjectKey(key)).not.toThrow();
  });

  it.each(['', 'a', 'a/', 'a/b-', 'acme/versioning/'])('may be listed by the start %p', (prefix) => {
    expect(() => assertKeyPrefix(prefix)).not.toThrow();
  });

  it.each(['/', '../', 'a/..', 'a//', 'a\0', 'a%2E'])('may not be listed by %p', (prefix) => {
    expect(() => assertKeyPrefix(prefix)).toThrow(ObjectStoreError);
  });
});
