import { createHash, createHmac } from 'node:crypto';

interface Key {
  readonly keyId: string;
  readonly secret: string;
}

interface Unsigned {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD';
  readonly url: string;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
  /** Of the signature; now by default. */
  readonly date?: Date;
  /** What the signature says of the body; its SHA-256 by default. */
  readonly payloadHash?: string;
}

const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const REGION = 'us-east-1';

/** A request signed by AWS Signature V4, as inject takes it; written for tests that then break it in one place. */
export function signed(key: Key, request: Unsigned) {
  const { method, url, body = '', date = new Date(), payloadHash = sha256(body) } = request;
  const timestamp = date.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = timestamp.slice(0, 8);
  const headers: Record<string, string> = {
    host: 'localhost',
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': timestamp,
    ...request.headers,
  };
  const names = Object.keys(headers).sort();
  const [path = '', query = ''] = url.split('?');
  const canonicalQuery = query
    .split('&')
    .filter(Boolean)
    .map((part) => (part.includes('=') ? part : `${part}=`))
    .sort()
    .join('&');
  const canonicalHeaders = names.map((name) => `${name}:${headers[name]}\n`).join('');
  const canonical = [method, path, canonicalQuery, canonicalHeaders, names.join(';'), payloadHash].join('\n');
  const scope = `${day}/${REGION}/s3/aws4_request`;
  const signingKey = ['s3', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${key.secret}`, day), REGION));
  const toSign = ['AWS4-HMAC-SHA256', timestamp, scope, sha256(canonical)].join('\n');
  const signature = hmac(signingKey, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.keyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { method, url, headers: { ...headers, authorization } as Record<string, string>, payload: body };
}
