import { z } from 'zod';

const scalar = z.union([z.number(), z.string(), z.boolean(), z.null()]);

/** One tensor of a request or an answer, flat and row-major; non-finite numbers are the strings NaN, Infinity, -Infinity. */
export const payloadTensor = z.object({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data: z.array(scalar),
});
export type PayloadTensor = z.output<typeof payloadTensor>;

/**
 * One prediction as it travels on `mledger.inference.payloads`: never a log event, but sealed by PredictionsSealed.
 * The SHA-256 of its RFC 8785 text is the leaf under the seal.
 */
export const predictionPayload = z.object({
  requestId: z.string(),
  /** What the client called its request; echoed, never trusted as unique. */
  clientRequestId: z.string().nullable(),
  tenant: z.string(),
  actor: z.string(),
  correlation: z.string(),
  endpointId: z.string(),
  endpoint: z.string(),
  revision: z.number().int().positive(),
  modelId: z.string(),
  model: z.string(),
  modelVersion: z.number().int().positive(),
  time: z.string(),
  durationMs: z.number().nonnegative(),
  /** The HTTP status answered; failed requests are payloads too. */
  status: z.number().int(),
  shadow: z.boolean(),
  inputs: z.array(payloadTensor),
  outputs: z.array(payloadTensor),
  error: z.string().nullable(),
  /** Where the tensors lie when they are too large for a message, and their digest; `inputs` and `outputs` are empty then. */
  tensors: z.object({ objectKey: z.string(), sha256: z.string() }).nullable(),
});
export type PredictionPayload = z.output<typeof predictionPayload>;

/** The CloudEvents type of a payload on its topic. */
export const PAYLOAD_EVENT_TYPE = 'mledger.inference.payload';
