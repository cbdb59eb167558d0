import { faultOfSuppliedKey, newAccessKey, openSecret, sealedKey, secretMatches } from './access-key';
import { MasterKey } from './master-key';

const { key: masterKey } = MasterKey.generate();

describe('access keys', () => {
  it('are well-formed for lakeFS clients, and good enough for themselves', () => {
    for (let count = 0; count < 100; count++) {
      const key = newAccessKey();
      expect(key.keyId).toMatch(/^AKIAJ[A-Z0-9]{14}Q$/);
      expect(key.secret).toMatch(/^[A-Za-z0-9+/]{40}$/);
      expect(faultOfSuppliedKey(key)).toBeUndefined();
    }
  });

  it.each([
    ['a short secret', { keyId: 'AKIA', secret: 'x'.repeat(31) }],
    ['a secret with spaces', { keyId: 'AKIA', secret: `${'x'.repeat(40)} ` }],
    ['a key id with a slash', { keyId: 'AK/IA', secret: 'x'.repeat(40) }],
    ['a key id with a colon', { keyId: 'AK:IA', secret: 'x'.repeat(40) }],
  ])('refuse %s', (_name, key) => {
    expect(faultOfSuppliedKey(key)).toBeDefined();
  });

  it('open for their own tenant and id, under their own master key alone', () => {
    const key = newAccessKey();
    const { sealedSecret, secretSha256 } = sealedKey(masterKey, 'acme', key);
    expect(sealedSecret).not.toContain(key.secret);
    expect(openSecret(masterKey, { tenant: 'acme', keyId: key.keyId, sealedSecret })).toBe(key.secret);
    expect(() => openSecret(masterKey, { tenant: 'other', keyId: key.keyId, sealedSecret })).toThrow();
    expect(() => openSecret(masterKey, { tenant: 'acme', keyId: 'other', sealedSecret })).toThrow();
    expect(() => openSecret(MasterKey.generate().key, { tenant: 'acme', keyId: key.keyId, sealedSecret })).toThrow();
    expect(secretMatches(key.secret, secretSha256)).toBe(true);
    expect(secretMatches(`${key.secret}x`, secretSha256)).toBe(false);
    expect(secretMatches(key.secret, undefined)).toBe(false);
  });
});

describe('the master key', () => {
  it('is 32 bytes, in hex or base64', () => {
    const { text } = MasterKey.generate();
    expect(MasterKey.parse(text)).toBeDefined();
    expect(MasterKey.parse('ab'.repeat(32))).toBeDefined();
    expect(MasterKey.parse('ab'.repeat(31))).toBeUndefined();
    expect(MasterKey.parse('secret')).toBeUndefined();
  });

  it('gives each purpose a key of its own, and the same one always', () => {
    expect(masterKey.keyFor('jwt')).toEqual(masterKey.keyFor('jwt'));
    expect(masterKey.keyFor('jwt')).not.toEqual(masterKey.keyFor('seal'));
  });
});
