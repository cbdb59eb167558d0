import type { ApiWords } from '@mledger/contracts';

const description =
  'Such a URL comes whole from an answer that signed it: its signature is the credential, and bounds what can be done with it and how long. Nobody has to put one together.';

export const presignedApi: ApiWords = {
  'GET /presigned/{key}': {
    summary: 'Read an object by a signed URL',
    description: `${description} A \`Range\` is answered by 206.`,
    contentType: 'application/octet-stream',
  },
  'PUT /presigned/{key}': {
    summary: 'Write an object by a signed URL',
    description: `${description} The body is the object; the answer’s \`ETag\` is its MD5. It is taken once: 409 where bytes were put there already.`,
  },
};
