import { PassThrough, type Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { ApiError } from '@mledger/service-kit';

export interface UploadedPart {
  readonly body: Readable;
  readonly contentType: string | undefined;
}

const LIMITS = { parts: 16, headerPairs: 64, fieldSize: 64 * 1024 };

/**
 * The part `content` of a multipart form, as a stream; lakeFS' generated clients upload so. A form that is cut short fails
 * the stream, so that nothing of it is kept. @throws ApiError 400 when the body is no form or has no such part
 */
export function contentPart(form: Readable, contentType: string): Promise<UploadedPart> {
  return new Promise((resolve, reject) => {
    const content = new PassThrough();
    // It may fail before anybody reads it; whoever reads it then is told.
    content.on('error', () => {});
    let isFound = false;
    const fail = (error: Error) => {
      const refused = ApiError.invalid(`body: ${error.message}`);
      // The rest of the request is read and forgotten, so that the answer can be sent on its connection.
      form.unpipe();
      form.resume();
      if (isFound) content.destroy(refused);
      else reject(refused);
    };
    let parser: BusboyInstance;
    try {
      parser = new Busboy({ headers: { 'content-type': contentType }, limits: LIMITS });
    } catch (error) {
      return fail(error as Error);
    }
    parser.on('file', (name, body, _fileName, _encoding, mimeType) => {
      body.on('error', fail);
      if (name !== 'content' || isFound) return void body.resume();
      isFound = true;
      body.pipe(content);
      resolve({ body: content, contentType: mimeType });
    });
    parser.on('finish', () => isFound || fail(new Error('the form has no file part named content')));
    parser.on('error', (error) => fail(error as Error));
    form.on('error', fail);
    form.on('aborted', () => fail(new Error('the client went away')));
    form.pipe(parser);
  });
}
