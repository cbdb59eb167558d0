import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const MASTER_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The one secret of an installation (MLEDGER_MASTER_KEY). Never used itself: each purpose has a key of its own,
 * derived by HKDF-SHA256.
 */
export class MasterKey {
  private readonly derived = new Map<string, Buffer>();

  /** @throws RangeError when the key is not 32 bytes */
  constructor(private readonly bytes: Buffer) {
    if (bytes.length !== MASTER_KEY_BYTES)
      throw new RangeError(`the master key has ${bytes.length} bytes, it needs ${MASTER_KEY_BYTES}`);
  }

  /** Reads 64 hex digits or base64 of 32 bytes; undefined when the text is neither. */
  static parse(text: string): MasterKey | undefined {
    if (/^[0-9a-fA-F]{64}$/.test(text)) return new MasterKey(Buffer.from(text, 'hex'));
    if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined;
    const bytes = Buffer.from(text, 'base64');
    return bytes.length === MASTER_KEY_BYTES ? new MasterKey(bytes) : undefined;
  }

  static generate(): { key: MasterKey; text: string } {
    const bytes = randomBytes(MASTER_KEY_BYTES);
    return { key: new MasterKey(bytes), text: bytes.toString('base64') };
  }

  /** 32 bytes for one purpose, the same ones on every machine that has the master key. */
  keyFor(purpose: string): Buffer {
    let key = this.derived.get(purpose);
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', this.bytes, 'mledger', `mledger/${purpose}/v1`, MASTER_KEY_BYTES));
      this.derived.set(purpose, key);
    }
    return key;
  }

  /**
   * Seals a secret with AES-256-GCM. `context` is authenticated with it, so a sealed secret that is moved to another
   * key's record does not open.
   */
  seal(secret: string, context: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.keyFor('seal'), nonce).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `v1.${nonce.toString('base64url')}.${sealed.toString('base64url')}`;
  }

  /** @throws Error when the text was sealed under another master key, for another context, or was altered */
  open(sealedText: string, context: string): string {
    const [version, nonceText, sealedPart] = sealedText.split('.');
    if (version !== 'v1' || !nonceText || !sealedPart)
      throw new Error('a sealed secret begins with v1 and has two parts');
    const sealed = Buffer.from(sealedPart, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.keyFor('seal'), Buffer.from(nonceText, 'base64url'), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(context))
      .setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    return decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  }
}
