import type { WireRequest } from './aws-request';
import { sigV4HeaderClaim, sigV4QueryClaim, verifySigV4 } from './sigv4';

/** The worked examples of the S3 API reference, "Signature Calculations for the Authorization Header" and the pages after it. */
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const NOW_MS = Date.parse('2013-05-24T00:00:00Z');
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const HOST = 'examplebucket.s3.amazonaws.com';

function authorization(signedHeaders: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;
}

const getObject: WireRequest = {
  method: 'GET',
  target: '/test.txt',
  headers: {
    host: HOST,
    range: 'bytes=0-9',
    'x-amz-content-sha256': EMPTY,
    'x-amz-date': '20130524T000000Z',
    authorization: authorization(
      'host;range;x-amz-content-sha256;x-amz-date',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ),
  },
};

const verifyHeader = (request: WireRequest, nowMs = NOW_MS, secret = SECRET) =>
  verifySigV4(request, sigV4HeaderClaim(request, String(request.headers['authorization'])), secret, nowMs);

describe('AWS signature V4 in the header', () => {
  it('verifies a GET', () => {
    expect(verifyHeader(getObject)).toMatchObject({ version: 4, payload: { kind: 'sha256', hex: EMPTY } });
  });

  it('verifies a PUT whose key needs encoding', () => {
    const sha256 = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072';
    const request: WireRequest = {
      method: 'PUT',
      target: '/test%24file.text',
      headers: {
        host: HOST,
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-content-sha256': sha256,
        'x-amz-date': '20130524T000000Z',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        authorization: authorization(
          'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
          '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
        ),
      },
    };
    expect(verifyHeader(request).payload).toEqual({ kind: 'sha256', hex: sha256 });
    // The same key, spelt without an escape.
    expect(verifyHeader({ ...request, target: '/test$file.text' }).version).toBe(4);
  });

  it.each([
    ['/?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    ['/?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
    ['/?prefix=J&max-keys=2', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ])('verifies the query of %s', (target, signature) => {
    const { range: _, ...headers } = getObject.headers;
    const signed = authorization('host;x-amz-content-sha256;x-amz-date', signature);
    expect(verifyHeader({ method: 'GET', target, headers: { ...headers, authorization: signed } }).version).toBe(4);
  });

  it.each([
    ['another method', { ...getObject, method: 'PUT' }],
    ['another path', { ...getObject, target: '/test2.txt' }],
    ['another query', { ...getObject, target: '/test.txt?acl' }],
    ['another range', { ...getObject, headers: { ...getObject.headers, range: 'bytes=0-10' } }],
    ['another host', { ...getObject, headers: { ...getObject.headers, host: 'evil.example' } }],
    ['a signed header removed', { ...getObject, headers: { ...getObject.headers, range: undefined } }],
  ])('refuses %s', (_name, request: WireRequest) => {
    expect(() => verifyHeader(request)).toThrow(expect.objectContaining({ s3Code: 'SignatureDoesNotMatch' }));
  });

  it('refuses another secret', () => {
    expect(() => verifyHeader(getObject, NOW_MS, `${SECRET}x`)).toThrow(/does not match/);
  });

  it('refuses an x-amz header that nobody signed', () => {
    const request = { ...getObject, headers: { ...getObject.headers, 'x-amz-acl': 'public-read' } };
    expect(() => verifyHeader(request)).toThrow(/not signed: x-amz-acl/);
  });

  it.each([
    ['late', 15 * 60 * 1000 + 1],
    ['early', -15 * 60 * 1000 - 1],
  ])('refuses a request that is a quarter of an hour %s', (_name, offsetMs) => {
    expect(() => verifyHeader(getObject, NOW_MS + offsetMs)).toThrow(
      expect.objectContaining({ s3Code: 'RequestTimeTooSkewed' }),
    );
  });

  it.each([
    ['no payload hash', { 'x-amz-content-sha256': undefined }],
    ['a payload mode nobody knows', { 'x-amz-content-sha256': 'STREAMING-NONSENSE' }],
    ['no time', { 'x-amz-date': undefined }],
    ['a time that is none', { 'x-amz-date': '20131324T000000Z' }],
    ['another day in the credential', { 'x-amz-date': '20130525T000000Z' }],
    ['an ill-formed header', { authorization: 'AWS4-HMAC-SHA256 nonsense' }],
  ])('refuses %s', (_name, headers) => {
    expect(() => verifyHeader({ ...getObject, headers: { ...getObject.headers, ...headers } })).toThrow();
  });
});

describe('AWS signature V4 in the query', () => {
  const presigned: WireRequest = {
    method: 'GET',
    target:
      '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
      '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    headers: { host: HOST },
  };
  const verify = (request: WireRequest, nowMs = NOW_MS) =>
    verifySigV4(request, sigV4QueryClaim(request), SECRET, nowMs);

  it('verifies a URL until it expires', () => {
    expect(verify(presigned).payload).toEqual({ kind: 'unsigned' });
    expect(verify(presigned, NOW_MS + 86_400_000).version).toBe(4);
    expect(() => verify(presigned, NOW_MS + 86_400_001)).toThrow('Request has expired');
  });

  it('refuses one made in the future, or for longer than a week', () => {
    expect(() => verify(presigned, NOW_MS - 16 * 60 * 1000)).toThrow(/too large/);
    const long = { ...presigned, target: presigned.target.replace('=86400', '=604801') };
    expect(() => verify(long)).toThrow(/X-Amz-Expires/);
  });

  it('refuses one that was changed', () => {
    expect(() => verify({ ...presigned, target: presigned.target.replace('=86400', '=86401') })).toThrow(
      /does not match/,
    );
    expect(() => verify({ ...presigned, target: `${presigned.target}&versionId=1` })).toThrow(/does not match/);
  });
});
