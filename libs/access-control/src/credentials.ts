import { badRequest, unauthenticated } from './access-refused';
import { header, splitTarget, type WireRequest } from './aws-request';
import { sigV2HeaderClaim, sigV2QueryClaim, type SigV2Claim } from './sigv2';
import { sigV4HeaderClaim, sigV4QueryClaim, type SigV4Claim } from './sigv4';

export const SESSION_COOKIE = 'internal_auth_session';

/** What a request says of who it is; nothing of it is verified yet. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly keyId: string; readonly secret: string; readonly byBrowser: boolean }
  | { readonly kind: 'token'; readonly token: string; readonly byCookie: boolean }
  | { readonly kind: 'sigv4'; readonly claim: SigV4Claim }
  | { readonly kind: 'sigv2'; readonly claim: SigV2Claim };

/**
 * Reads the one credential of a request.
 *
 * @throws AccessRefused bad-request when there is more than one kind, as two readers could each believe another
 */
export function credentialOf(request: WireRequest): Credential {
  const { query } = splitTarget(request.target);
  const authorization = header(request, 'authorization');
  const queryV4 = /(^|&)(X-Amz-Signature|X-Amz-Algorithm)=/i.test(query);
  const queryV2 = /(^|&)AWSAccessKeyId=/i.test(query);
  const session = cookie(header(request, 'cookie'), SESSION_COOKIE);
  const kinds = [authorization !== undefined, queryV4, queryV2, session !== undefined].filter(Boolean).length;
  if (kinds > 1)
    throw badRequest(
      'SEVERAL_CREDENTIALS',
      'the request has more than one kind of credential: send one',
      'InvalidArgument',
    );
  if (queryV4) return { kind: 'sigv4', claim: sigV4QueryClaim(request) };
  if (queryV2) return { kind: 'sigv2', claim: sigV2QueryClaim(request) };
  if (session !== undefined) return { kind: 'token', token: session, byCookie: true };
  return authorization === undefined ? { kind: 'none' } : credentialOfHeader(request, authorization);
}

function credentialOfHeader(request: WireRequest, authorization: string): Credential {
  const [scheme, rest = ''] = splitOnce(authorization, ' ');
  switch (scheme.toLowerCase()) {
    case 'aws4-hmac-sha256':
      return { kind: 'sigv4', claim: sigV4HeaderClaim(request, authorization) };
    case 'aws':
      return { kind: 'sigv2', claim: sigV2HeaderClaim(request, authorization) };
    case 'basic': {
      const [keyId, secret] = splitOnce(Buffer.from(rest.trim(), 'base64').toString('utf8'), ':');
      if (!secret) throw unauthenticated();
      return { kind: 'key', keyId, secret, byBrowser: true };
    }
    case 'bearer': {
      const token = rest.trim();
      if (token.split('.').length === 3) return { kind: 'token', token, byCookie: false };
      const [keyId, secret] = splitOnce(token, '.');
      if (!secret) throw unauthenticated();
      return { kind: 'key', keyId, secret, byBrowser: false };
    }
    default:
      throw unauthenticated('UNKNOWN_SCHEME', 'the Authorization header must be Basic, Bearer or an AWS signature');
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function cookie(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const [key, value] = splitOnce(part.trim(), '=');
    if (key === name && value) return value;
  }
  return undefined;
}
