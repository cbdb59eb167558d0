import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { badRequest, forbidden } from './access-refused';
import {
  awsEncode,
  decode,
  header,
  parseAmzDate,
  queryParameters,
  SKEW_MS_MAX,
  splitTarget,
  type AwsSignature,
  type PayloadMode,
  type RawParameter,
  type WireRequest,
} from './aws-request';

/** Source of these rules: AWS, "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference. */
const ALGORITHM = 'AWS4-HMAC-SHA256';
const PRESIGN_SECONDS_MAX = 7 * 24 * 60 * 60;
const EMPTY_SHA256 = createHash('sha256').update('').digest('hex');

/** A V4 signature as the request states it, not yet verified. */
export interface SigV4Claim {
  readonly accessKeyId: string;
  readonly scope: { readonly day: string; readonly region: string };
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly timestamp: string;
  /** Only of a presigned URL. */
  readonly expiresSeconds?: number;
  readonly payloadHash: string;
  readonly sessionToken?: string;
}

/** Reads `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`. */
export function sigV4HeaderClaim(request: WireRequest, authorization: string): SigV4Claim {
  const fields = new Map(
    authorization
      .slice(ALGORITHM.length)
      .split(',')
      .map((part) => part.trim())
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const),
  );
  const timestamp = header(request, 'x-amz-date') ?? amzDateOf(header(request, 'date'));
  const payloadHash = header(request, 'x-amz-content-sha256');
  if (!payloadHash) throw badRequest('MISSING_HEADER', 'x-amz-content-sha256 is missing', 'MissingSecurityHeader');
  return {
    ...claimParts(fields.get('Credential'), fields.get('SignedHeaders'), fields.get('Signature'), timestamp),
    payloadHash,
    sessionToken: header(request, 'x-amz-security-token'),
  };
}

/** Reads a presigned URL's `X-Amz-…` parameters. */
export function sigV4QueryClaim(request: WireRequest): SigV4Claim {
  const parameters = new Map(
    queryParameters(splitTarget(request.target).query).map(({ name, value }) => [name.toLowerCase(), value]),
  );
  if (parameters.get('x-amz-algorithm') !== ALGORITHM)
    throw badRequest('INVALID_ALGORITHM', `X-Amz-Algorithm must be ${ALGORITHM}`, 'AuthorizationQueryParametersError');
  const expires = parameters.get('x-amz-expires') ?? '';
  const expiresSeconds = Number(expires);
  if (!/^\d{1,7}$/.test(expires) || expiresSeconds < 1 || expiresSeconds > PRESIGN_SECONDS_MAX)
    throw badRequest(
      'INVALID_EXPIRES',
      `X-Amz-Expires must be between 1 and ${PRESIGN_SECONDS_MAX} seconds`,
      'AuthorizationQueryParametersError',
    );
  return {
    ...claimParts(
      parameters.get('x-amz-credential'),
      parameters.get('x-amz-signedheaders'),
      parameters.get('x-amz-signature'),
      parameters.get('x-amz-date'),
    ),
    expiresSeconds,
    payloadHash:
      parameters.get('x-amz-content-sha256') ?? header(request, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD',
    sessionToken: parameters.get('x-amz-security-token'),
  };
}

/** @throws AccessRefused when the time is off, a needed header is not signed, or the signature is not the secret's */
export function verifySigV4(request: WireRequest, claim: SigV4Claim, secret: string, nowMs: number): AwsSignature {
  checkTime(claim, nowMs);
  checkSignedHeaders(request, claim);
  const scope = `${claim.scope.day}/${claim.scope.region}/s3/aws4_request`;
  const canonicalHash = createHash('sha256').update(canonicalRequest(request, claim), 'latin1').digest('hex');
  const stringToSign = [ALGORITHM, claim.timestamp, scope, canonicalHash].join('\n');
  const signingKey = sigV4SigningKey(secret, claim.scope);
  const signature = createHmac('sha256', signingKey).update(stringToSign).digest('hex');
  if (!sameText(signature, claim.signature)) throw signatureMismatch();
  const payload = payloadMode(claim.payloadHash);
  if (payload.kind === 'chunked' && claim.expiresSeconds !== undefined)
    throw badRequest('INVALID_PAYLOAD_HASH', 'a presigned URL cannot have a signed chunked body');
  return { version: 4, payload, seed: { signature, signingKey, timestamp: claim.timestamp, scope } };
}

export function sigV4SigningKey(secret: string, scope: { day: string; region: string }): Buffer {
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, scope.day), scope.region), 's3'), 'aws4_request');
}

export const signatureMismatch = () =>
  forbidden(
    'SIGNATURE_DOES_NOT_MATCH',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    'SignatureDoesNotMatch',
  );

function claimParts(
  credential: string | undefined,
  signedHeaders: string | undefined,
  signature: string | undefined,
  timestamp: string | undefined,
) {
  // An id has no slash, so the first part ends at the first one.
  const [accessKeyId, day, region, service, terminal] = (credential ?? '').split('/');
  if (!accessKeyId || !day || region === undefined || service !== 's3' || terminal !== 'aws4_request')
    throw badRequest(
      'INVALID_CREDENTIAL',
      'the credential must be <key id>/<day>/<region>/s3/aws4_request',
      'AuthorizationHeaderMalformed',
    );
  if (!signedHeaders || !/^[0-9a-f]{64}$/.test(signature ?? ''))
    throw badRequest('INVALID_SIGNATURE', 'SignedHeaders or Signature is missing', 'AuthorizationHeaderMalformed');
  if (!timestamp || parseAmzDate(timestamp) === undefined)
    throw forbidden('INVALID_DATE', 'the request has no valid x-amz-date or Date');
  if (timestamp.slice(0, 8) !== day)
    throw badRequest('INVALID_CREDENTIAL', "the credential's day is not the request's", 'AuthorizationHeaderMalformed');
  return {
    accessKeyId,
    scope: { day, region },
    signedHeaders: signedHeaders.split(';'),
    signature: signature!,
    timestamp,
  };
}

function checkTime(claim: SigV4Claim, nowMs: number): void {
  const madeMs = parseAmzDate(claim.timestamp)!;
  if (madeMs - nowMs > SKEW_MS_MAX) throw tooSkewed();
  if (claim.expiresSeconds === undefined) {
    if (nowMs - madeMs > SKEW_MS_MAX) throw tooSkewed();
  } else if (nowMs > madeMs + claim.expiresSeconds * 1000) throw forbidden('EXPIRED', 'Request has expired');
}

export const tooSkewed = () =>
  forbidden(
    'REQUEST_TIME_TOO_SKEWED',
    "The difference between the request time and the server's time is too large.",
    'RequestTimeTooSkewed',
  );

/** `host` and whatever `x-amz-…` is there must be signed, or a header could be slipped in on the way. */
function checkSignedHeaders(request: WireRequest, claim: SigV4Claim): void {
  const present = Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'));
  // A presigned URL carries the payload mode in its signed query, and clients repeat it as a header.
  const needed =
    claim.expiresSeconds === undefined ? present : present.filter((name) => name !== 'x-amz-content-sha256');
  const unsigned = ['host', ...needed].filter((name) => !claim.signedHeaders.includes(name));
  if (unsigned.length > 0)
    throw forbidden(
      'UNSIGNED_HEADERS',
      `There were headers present in the request which were not signed: ${unsigned.join(', ')}`,
    );
  if (claim.signedHeaders.some((name) => request.headers[name] === undefined)) throw signatureMismatch();
}

/** In latin1, one character a byte: header values are hashed as they were on the wire, whatever their encoding. */
function canonicalRequest(request: WireRequest, claim: SigV4Claim): string {
  const { path, query } = splitTarget(request.target);
  const headers = claim.signedHeaders.map((name) => `${name}:${canonicalHeader(request.headers[name])}\n`).join('');
  return [
    request.method,
    path
      .split('/')
      .map((segment) => awsEncode(decode(segment)))
      .join('/'),
    canonicalQuery(queryParameters(query)),
    headers,
    claim.signedHeaders.join(';'),
    claim.payloadHash,
  ].join('\n');
}

function canonicalHeader(value: string | string[] | undefined): string {
  const values = Array.isArray(value) ? value : [value ?? ''];
  return values.map((text) => text.trim().replace(/ +/g, ' ')).join(',');
}

function canonicalQuery(parameters: RawParameter[]): string {
  return parameters
    .filter(({ name }) => name.toLowerCase() !== 'x-amz-signature')
    .map(({ name, value }) => ({ name: awsEncode(name), value: awsEncode(value) }))
    .sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&');
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function payloadMode(payloadHash: string): PayloadMode {
  switch (payloadHash) {
    case 'UNSIGNED-PAYLOAD':
      return { kind: 'unsigned' };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { kind: 'chunked', signed: true, trailer: false };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'chunked', signed: true, trailer: true };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'chunked', signed: false, trailer: true };
  }
  if (/^[0-9a-f]{64}$/.test(payloadHash)) return { kind: 'sha256', hex: payloadHash };
  throw badRequest('INVALID_PAYLOAD_HASH', 'x-amz-content-sha256 is neither a SHA-256 nor a mode that we know');
}

function amzDateOf(httpDate: string | undefined): string | undefined {
  const ms = httpDate === undefined ? Number.NaN : Date.parse(httpDate);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** The next link of a chunked body's chain of signatures; the first continues the request's own. */
export function chunkSignature(seed: NonNullable<AwsSignature['seed']>, previous: string, sha256Hex: string): string {
  const text = [`${ALGORITHM}-PAYLOAD`, seed.timestamp, seed.scope, previous, EMPTY_SHA256, sha256Hex].join('\n');
  return createHmac('sha256', seed.signingKey).update(text).digest('hex');
}

/** The signature over the trailing headers, which continues the last chunk's. */
export function trailerSignature(seed: NonNullable<AwsSignature['seed']>, previous: string, sha256Hex: string): string {
  const text = [`${ALGORITHM}-TRAILER`, seed.timestamp, seed.scope, previous, sha256Hex].join('\n');
  return createHmac('sha256', seed.signingKey).update(text).digest('hex');
}
