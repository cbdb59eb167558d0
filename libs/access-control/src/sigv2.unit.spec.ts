import { createHmac } from 'node:crypto';
import type { WireRequest } from './aws-request';
import { sigV2HeaderClaim, sigV2QueryClaim, verifySigV2 } from './sigv2';

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const NOW_MS = Date.parse('2007-03-27T19:36:42Z');

/** The worked example "Object GET" of the S3 developer guide's page on V2. */
const example: WireRequest = {
  method: 'GET',
  target: '/awsexamplebucket1/photos/puppy.jpg',
  headers: {
    host: 'localhost',
    date: 'Tue, 27 Mar 2007 19:36:42 +0000',
    authorization: 'AWS AKIAIOSFODNN7EXAMPLE:qgk2+6Sv9/oM7G3qLEjTH1a1l1g=',
  },
};

const verifyHeader = (request: WireRequest, nowMs = NOW_MS) =>
  verifySigV2(request, sigV2HeaderClaim(request, String(request.headers['authorization'])), SECRET, nowMs);

describe('AWS signature V2', () => {
  it('verifies the example', () => {
    expect(verifyHeader(example)).toEqual({ version: 2, payload: { kind: 'unsigned' } });
  });

  it.each([
    ['another path', { ...example, target: '/awsexamplebucket1/photos/kitten.jpg' }],
    ['another sub-resource', { ...example, target: `${example.target}?acl` }],
    ['an added x-amz header', { ...example, headers: { ...example.headers, 'x-amz-acl': 'public-read' } }],
  ])('refuses %s', (_name, request) => {
    expect(() => verifyHeader(request)).toThrow(/does not match/);
  });

  it.each([
    ['as boto3 signs it', '/flights?encoding-type=url', '/flights/'],
    ['as boto3 signs it, with a sub-resource', '/flights?uploads', '/flights/?uploads'],
    ['as it was sent', '/flights?prefix=main%2F', '/flights'],
  ])('verifies a request to a bucket %s, in the header and as a URL', (_name, target, resource) => {
    const date = new Date(NOW_MS).toUTCString();
    const sign = (text: string) => createHmac('sha1', SECRET).update(text).digest('base64');
    const authorization = `AWS AKIA:${sign(`GET\n\n\n${date}\n${resource}`)}`;
    expect(verifyHeader({ method: 'GET', target, headers: { date, authorization } }).version).toBe(2);
    const expires = Math.floor(NOW_MS / 1000) + 60;
    const signature = encodeURIComponent(sign(`GET\n\n\n${expires}\n${resource}`));
    const url = `${target}&AWSAccessKeyId=AKIA&Signature=${signature}&Expires=${expires}`;
    const request: WireRequest = { method: 'GET', target: url, headers: {} };
    expect(verifySigV2(request, sigV2QueryClaim(request), SECRET, NOW_MS).version).toBe(2);
  });

  it('refuses one that is too old', () => {
    expect(() => verifyHeader(example, NOW_MS + 16 * 60 * 1000)).toThrow(/too large/);
  });

  it('verifies a URL as boto3 makes it, with headers that moved into the query, until it expires', () => {
    const expires = Math.floor(NOW_MS / 1000) + 60;
    const text = `GET\n\n\n${expires}\nx-amz-security-token:the token\n/flights/main/a%20b.csv?partNumber=2&uploadId=u`;
    const signature = encodeURIComponent(createHmac('sha1', SECRET).update(text).digest('base64'));
    const target =
      `/flights/main/a%20b.csv?uploadId=u&partNumber=2&AWSAccessKeyId=AKIA&x-amz-security-token=the%20token` +
      `&Signature=${signature}&Expires=${expires}`;
    const request: WireRequest = { method: 'GET', target, headers: { host: 'localhost' } };
    const verify = (nowMs: number) => verifySigV2(request, sigV2QueryClaim(request), SECRET, nowMs);
    expect(verify(NOW_MS).version).toBe(2);
    expect(() => verify(NOW_MS + 61_000)).toThrow('Request has expired');
  });
});
