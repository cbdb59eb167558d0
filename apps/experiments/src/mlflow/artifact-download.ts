import { attachment, ObjectStoreError, type ByteRange, type ObjectBody } from '@mledger/object-store';
import { ApiError, type FastifyReply } from '@mledger/service-kit';

/** A stored page must never be a script on our origin, whatever it is and whatever a browser takes it for. */
const NEVER_RUN = {
  'content-type': 'application/octet-stream',
  'x-content-type-options': 'nosniff',
  'content-security-policy': 'sandbox',
};

/** Streams an artifact out, or the one part of it that the request's Range names. */
export async function sendArtifact(
  reply: FastifyReply,
  path: string,
  open: (range: ByteRange | undefined) => Promise<ObjectBody>,
): Promise<void> {
  const range = rangeOf(reply.request.headers.range);
  const { body, bodyBytes, sizeBytes } = await open(range).catch(tellUnsatisfiable);
  void reply.headers({
    ...NEVER_RUN,
    'content-disposition': attachment(path.slice(path.lastIndexOf('/') + 1)),
    'content-length': bodyBytes,
    'accept-ranges': 'bytes',
  });
  if (range) {
    void reply
      .status(206)
      .header('content-range', `bytes ${range.offset}-${range.offset + bodyBytes - 1}/${sizeBytes}`);
  }
  // The framework would read the whole artifact to throw it away.
  if (reply.request.method === 'HEAD') body.destroy();
  await reply.send(body);
}

/** `bytes=5-` and `bytes=5-9`. Other forms of the header are passed over, as HTTP allows, and the whole is sent. */
function rangeOf(header: string | undefined): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || (last && Number(last) < Number(first))) return undefined;
  const offset = Number(first);
  return last ? { offset, length: Number(last) - offset + 1 } : { offset };
}

function tellUnsatisfiable(error: unknown): never {
  if (error instanceof ObjectStoreError && error.code === 'invalid-range') {
    throw new ApiError({
      status: 416,
      code: 'INVALID_PARAMETER_VALUE',
      message: 'the range is not inside the artifact',
    });
  }
  throw error;
}
