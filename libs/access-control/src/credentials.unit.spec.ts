import { credentialOf } from './credentials';

const request = (headers: Record<string, string>, target = '/') => ({ method: 'GET', target, headers });
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the credential of a request', () => {
  it('is none, a key, or a token', () => {
    expect(credentialOf(request({}))).toEqual({ kind: 'none' });
    expect(credentialOf(request({ authorization: `Basic ${base64('AKIA:s:e')}` }))).toEqual({
      kind: 'key',
      keyId: 'AKIA',
      secret: 's:e',
      byBrowser: true,
    });
    expect(credentialOf(request({ authorization: 'Bearer AKIA.se/cret+' }))).toEqual({
      kind: 'key',
      keyId: 'AKIA',
      secret: 'se/cret+',
      byBrowser: false,
    });
    expect(credentialOf(request({ authorization: 'bearer a.b.c' }))).toMatchObject({ kind: 'token', byCookie: false });
    expect(credentialOf(request({ cookie: 'x=1; internal_auth_session=a.b.c' }))).toMatchObject({
      kind: 'token',
      byCookie: true,
    });
  });

  it.each([
    ['a header and a cookie', request({ authorization: 'Bearer a.b.c', cookie: 'internal_auth_session=a.b.c' })],
    ['a header and a V4 query', request({ authorization: 'Bearer a.b.c' }, '/?X-Amz-Signature=1')],
    ['a header and a V2 query', request({ authorization: 'Basic YTpi' }, '/?AWSAccessKeyId=1')],
    ['V4 and V2 in the query', request({}, '/?X-Amz-Algorithm=a&AWSAccessKeyId=1')],
    ['a cookie and a V4 query', request({ cookie: 'internal_auth_session=a.b.c' }, '/?x-amz-signature=1')],
  ])('is refused when there are two: %s', (_name, two) => {
    expect(() => credentialOf(two)).toThrow(expect.objectContaining({ refusal: 'bad-request' }));
  });

  it.each(['Basic', `Basic ${base64('nocolon')}`, 'Bearer', 'Bearer nodot', 'Digest x', ''])(
    'is refused as %j',
    (authorization) => {
      expect(() => credentialOf(request({ authorization }))).toThrow(
        expect.objectContaining({ refusal: 'unauthenticated' }),
      );
    },
  );
});
