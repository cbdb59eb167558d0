import { createHmac, timingSafeEqual } from 'node:crypto';
import { badRequest, forbidden } from './access-refused';
import {
  header,
  parseAmzDate,
  queryParameters,
  SKEW_MS_MAX,
  splitTarget,
  type AwsSignature,
  type WireRequest,
} from './aws-request';
import { signatureMismatch, tooSkewed } from './sigv4';

/** Source of these rules: AWS, "Signing and Authenticating REST Requests" (Signature Version 2). */
const SUB_RESOURCES = new Set(
  (
    'accelerate acl analytics cors delete inventory lifecycle location logging metrics notification partNumber policy ' +
    'replication requestPayment response-cache-control response-content-disposition response-content-encoding ' +
    'response-content-language response-content-type response-expires restore tagging torrent uploadId uploads ' +
    'versionId versioning versions website'
  ).split(' '),
);

/** A V2 signature as the request states it, not yet verified. */
export interface SigV2Claim {
  readonly accessKeyId: string;
  readonly signature: string;
  /** Unix seconds, of a presigned URL. */
  readonly expiresAt?: number;
  readonly sessionToken?: string;
}

/** Reads `Authorization: AWS <key id>:<signature>`. */
export function sigV2HeaderClaim(request: WireRequest, authorization: string): SigV2Claim {
  const [accessKeyId, signature] = authorization.slice('AWS '.length).trim().split(':');
  if (!accessKeyId || !signature)
    throw badRequest('INVALID_CREDENTIAL', 'the credential must be AWS <key id>:<signature>', 'InvalidArgument');
  return { accessKeyId, signature, sessionToken: header(request, 'x-amz-security-token') };
}

/** Reads a presigned URL's `AWSAccessKeyId`, `Signature` and `Expires`, which boto3 makes by default. */
export function sigV2QueryClaim(request: WireRequest): SigV2Claim {
  const parameters = new Map(
    queryParameters(splitTarget(request.target).query).map(({ name, value }) => [name.toLowerCase(), value]),
  );
  const accessKeyId = parameters.get('awsaccesskeyid');
  const signature = parameters.get('signature');
  const expires = parameters.get('expires') ?? '';
  if (!accessKeyId || !signature || !/^\d{1,12}$/.test(expires))
    throw forbidden('INVALID_SIGNATURE', 'Query-string authentication needs Signature, Expires and AWSAccessKeyId');
  return { accessKeyId, signature, expiresAt: Number(expires), sessionToken: parameters.get('x-amz-security-token') };
}

/** @throws AccessRefused when the time is off or the signature is not the secret's */
export function verifySigV2(request: WireRequest, claim: SigV2Claim, secret: string, nowMs: number): AwsSignature {
  checkTime(request, claim, nowMs);
  const given = Buffer.from(claim.signature, 'base64');
  const matches = canonicalResources(request.target).some((resource) => {
    const expected = createHmac('sha1', secret)
      .update(stringToSign(request, claim, resource), 'latin1')
      .digest();
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!matches) throw signatureMismatch();
  return { version: 2, payload: { kind: 'unsigned' } };
}

function checkTime(request: WireRequest, claim: SigV2Claim, nowMs: number): void {
  if (claim.expiresAt !== undefined) {
    if (nowMs > claim.expiresAt * 1000) throw forbidden('EXPIRED', 'Request has expired');
    return;
  }
  const date = header(request, 'x-amz-date') ?? header(request, 'date') ?? '';
  const madeMs = parseAmzDate(date) ?? Date.parse(date);
  if (Number.isNaN(madeMs)) throw forbidden('INVALID_DATE', 'the request has no valid x-amz-date or Date');
  if (Math.abs(nowMs - madeMs) > SKEW_MS_MAX) throw tooSkewed();
}

function stringToSign(request: WireRequest, claim: SigV2Claim, resource: string): string {
  const fields = signedFields(request, claim);
  const amzHeaders = [...fields]
    .filter(([name]) => name.startsWith('x-amz-'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}\n`)
    .join('');
  const date = fields.has('x-amz-date') ? '' : (fields.get('date') ?? '');
  return [
    request.method,
    fields.get('content-md5') ?? '',
    fields.get('content-type') ?? '',
    claim.expiresAt === undefined ? date : String(claim.expiresAt),
    amzHeaders + resource,
  ].join('\n');
}

/** Headers, and for a presigned URL the parameters into which a client has moved its headers. */
function signedFields(request: WireRequest, claim: SigV2Claim): Map<string, string> {
  const fields = new Map(Object.keys(request.headers).map((name) => [name, header(request, name) ?? '']));
  if (claim.expiresAt === undefined) return fields;
  for (const { name, value } of queryParameters(splitTarget(request.target).query))
    if (/^(x-amz-|content-(md5|type)$)/.test(name)) fields.set(name, value);
  return fields;
}

/**
 * The path as sent, and of the query only what names a part of the resource or changes the answer. The resource of a bucket
 * ends with `/` in V2, and botocore signs it so for a request that it sends to `/bucket`; others sign what they send.
 */
function canonicalResources(target: string): string[] {
  const { path, query } = splitTarget(target);
  const parts = query
    .split('&')
    .filter((part) => SUB_RESOURCES.has(part.split('=', 1)[0]!))
    .map((part) => queryParameters(part)[0]!)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, value }) => (value === '' ? name : `${name}=${value}`));
  const suffix = parts.length === 0 ? '' : `?${parts.join('&')}`;
  const paths = /^\/[^/]+$/.test(path) ? [path, `${path}/`] : [path];
  return paths.map((form) => form + suffix);
}
