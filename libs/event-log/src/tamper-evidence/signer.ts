import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { canonicalJson } from '../canonical-json';

/** The head of a service's public order at a moment, signed with a key that Postgres has never seen. */
export interface SignedCheckpoint {
  readonly service: string;
  readonly seq: number;
  /** Of all events up to seq, in hex. */
  readonly chain: string;
  readonly at: string;
  /** The signer's public key: raw Ed25519, base64url. */
  readonly keyId: string;
  /** Over the RFC 8785 text of all other fields; base64url. */
  readonly ed25519: string;
}

export interface Signer {
  readonly keyId: string;
  sign(bytes: Buffer): Buffer | Promise<Buffer>;
}

/** DER of an Ed25519 public key is this and the 32 raw bytes (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export function signerOf(privateKey: KeyObject): Signer {
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('checkpoints are signed with an Ed25519 key');
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    keyId: der.subarray(SPKI_PREFIX.length).toString('base64url'),
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}

/** The key in a PEM file that only its owner may read; makes the file where there is none. */
export function loadOrCreateSigner(file: string): Signer {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    pem = createKeyFile(file);
  }
  return signerOf(createPrivateKey(pem));
}

export async function signCheckpoint(
  signer: Signer,
  head: Pick<SignedCheckpoint, 'service' | 'seq' | 'chain' | 'at'>,
): Promise<SignedCheckpoint> {
  const unsigned = { ...head, keyId: signer.keyId };
  return { ...unsigned, ed25519: Buffer.from(await signer.sign(signedBytes(unsigned))).toString('base64url') };
}

/** Whether the checkpoint was signed by the key that it names. */
export function hasValidSignature({ ed25519, ...unsigned }: SignedCheckpoint): boolean {
  const raw = Buffer.from(unsigned.keyId, 'base64url');
  if (raw.length !== 32) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  return verify(null, signedBytes(unsigned), key, Buffer.from(ed25519, 'base64url'));
}

function signedBytes({ service, seq, chain, at, keyId }: Omit<SignedCheckpoint, 'ed25519'>): Buffer {
  return Buffer.from(canonicalJson({ service, seq, chain, at, keyId }));
}

/** Several services of one installation may start at once: one file wins, whole. */
function createKeyFile(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const draft = `${file}.${process.pid}.${process.hrtime.bigint()}`;
  writeFileSync(draft, pem, { mode: 0o600, flag: 'wx' });
  chmodSync(draft, 0o600);
  try {
    linkSync(draft, file);
    return pem;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(draft);
  }
}
