import { ApiError } from '@mledger/service-kit';

/** An error by the code that S3's clients know. */
export function s3Error(status: number, code: string, message: string, headers?: Record<string, string>): ApiError {
  return new ApiError({ status, code, message, ...(headers && { headers }) });
}

export const noSuchKey = () => s3Error(404, 'NoSuchKey', 'The specified key does not exist.');
export const noSuchUpload = () => s3Error(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
export const noSuchBucket = () => s3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
export const notSupported = () =>
  s3Error(405, 'ERRLakeFSNotSupported', 'This operation is not supported here: use the lakeFS API for it.');
/**
 * S3's own answer, word for word, to a header that it does not honour, such as a lock: a client must not believe that it was.
 * The sentence is S3's and promises nothing: such headers are refused for good reason (see refuseUnkept).
 */
export const notImplemented = () =>
  s3Error(501, 'NotImplemented', 'A header you provided implies functionality that is not implemented.');
export const malformedXml = (message: string) => s3Error(400, 'MalformedXML', message);
export const preconditionFailed = () =>
  s3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
