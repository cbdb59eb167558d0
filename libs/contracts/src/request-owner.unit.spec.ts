import { hasAwsSignature, ownerOfRequest } from './request-owner';

describe('the owner of a request', () => {
  it.each([
    ['a V4 header', '/api/v1/x', 'AWS4-HMAC-SHA256 Credential=…'],
    ['a V2 header', '/flights/main/a.csv', 'AWS AKIAJ:c2ln'],
    ['a V4 query', '/flights/main/a.csv?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=ab', undefined],
    ['a V2 query', '/flights/main/a.csv?AWSAccessKeyId=AKIAJ&Signature=ab&Expires=1', undefined],
  ])('is S3 for %s', (_name, target, authorization) => {
    expect(ownerOfRequest({ method: 'GET', target, authorization })).toBe('versioning');
  });

  it('is not S3 for other credentials', () => {
    expect(hasAwsSignature({ target: '/x?path=AWSAccessKeyId', authorization: 'Basic AWS4' })).toBe(false);
  });

  it('is nobody for a path that is not listed', () => {
    expect(ownerOfRequest({ method: 'GET', target: '/etc/passwd', authorization: undefined })).toBeUndefined();
  });
});
