import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasValidSignature, loadOrCreateSigner, signCheckpoint, signerOf } from './signer';

const head = { service: 'bank', seq: 12, chain: 'ab'.repeat(32), at: '2026-11-23T08:00:00.000Z' };

describe('a checkpoint', () => {
  const signer = signerOf(generateKeyPairSync('ed25519').privateKey);

  it('says who signed it, and holds nothing else than what was signed', async () => {
    const checkpoint = await signCheckpoint(signer, head);
    expect(checkpoint).toEqual({ ...head, keyId: signer.keyId, ed25519: expect.any(String) as string });
    expect(hasValidSignature(checkpoint)).toBe(true);
    expect(hasValidSignature(JSON.parse(JSON.stringify(checkpoint)) as typeof checkpoint)).toBe(true);
  });

  it.each([
    ['service', 'bunk'],
    ['seq', 13],
    ['chain', 'ac'.repeat(32)],
    ['at', '2026-11-23T08:00:00.001Z'],
    ['ed25519', Buffer.alloc(64).toString('base64url')],
    ['keyId', signerOf(generateKeyPairSync('ed25519').privateKey).keyId],
    ['keyId', 'no key'],
  ])('with another %s (%s) is not what was signed', async (field, value) => {
    expect(hasValidSignature({ ...(await signCheckpoint(signer, head)), [field]: value })).toBe(false);
  });
});

describe('the key file', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mledger-signer-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made once, for its owner alone, and found again', () => {
    const file = join(folder, 'keys', 'checkpoint.pem');
    const made = loadOrCreateSigner(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(loadOrCreateSigner(file).keyId).toBe(made.keyId);
    expect(readdirSync(join(folder, 'keys'))).toEqual(['checkpoint.pem']);
  });

  it('is not replaced when it cannot be read as a key', () => {
    const file = join(folder, 'checkpoint.pem');
    writeFileSync(file, 'not a key');
    expect(() => loadOrCreateSigner(file)).toThrow();
    expect(readFileSync(file, 'utf8')).toBe('not a key');
  });
});
