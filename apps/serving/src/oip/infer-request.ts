import { parseStrictJson } from '@mledger/service-kit';
import { z } from 'zod';
import { isDatatype, TensorInvalid, tensorFromValues, type Tensor } from '../inference/tensor';
import { tensorFromBytes } from './binary-tensor';

/** Names stand in messages and in published payloads. */
const tensorName = z.string().max(1024);
const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const inferRequestSchema = z.object({
  id: z.string().max(255).optional(),
  parameters: parameters.optional(),
  inputs: z
    .array(
      z.object({
        name: tensorName,
        shape: z.array(z.number()).max(16),
        datatype: z.string(),
        parameters: parameters.optional(),
        data: z.unknown().optional(),
      }),
    )
    .max(1024),
  outputs: z
    .array(z.object({ name: tensorName, parameters: parameters.optional() }))
    .max(1024)
    .optional(),
});

export interface InferRequest {
  readonly id: string | undefined;
  readonly inputs: readonly Tensor[];
  /** undefined: all of them. */
  readonly outputs: readonly { readonly name: string; readonly binary: boolean }[] | undefined;
  /** Whether outputs that do not say otherwise are wanted as binary tensors. */
  readonly binaryOutputs: boolean;
}

/**
 * Reads an infer request of the Open Inference Protocol V2, with or without binary tensors behind the JSON.
 *
 * @param jsonBytes how many bytes of the body are JSON (Inference-Header-Content-Length); undefined: all of it
 * @throws TensorInvalid with the reason, for the client; ApiError 400 for JSON that is not what it seems
 */
export function readInferRequest(body: Buffer, jsonBytes: number | undefined): InferRequest {
  if (jsonBytes !== undefined && (!Number.isSafeInteger(jsonBytes) || jsonBytes < 0 || jsonBytes > body.byteLength)) {
    throw new TensorInvalid(`Inference-Header-Content-Length says ${jsonBytes}, the body has ${body.byteLength} bytes`);
  }
  const parsed = inferRequestSchema.safeParse(
    parseStrictJson(body.subarray(0, jsonBytes), { bigIntegers: 'as-strings', nonFinite: 'as-null-and-strings' }),
  );
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TensorInvalid(`${issue?.path.join('.') || 'request'}: ${issue?.message}`);
  }
  const binary = { bytes: body.subarray(jsonBytes ?? body.byteLength), offset: 0 };
  const inputs = parsed.data.inputs.map((input) => readInput(input, binary));
  if (binary.offset !== binary.bytes.byteLength) {
    throw new TensorInvalid(
      `${binary.bytes.byteLength - binary.offset} bytes follow that no input's binary_data_size names`,
    );
  }
  const binaryOutputs = parsed.data.parameters?.binary_data_output === true;
  for (const { name, parameters } of parsed.data.outputs ?? []) refuseExtensions(name, parameters);
  const outputs = parsed.data.outputs?.map(({ name, parameters }) => ({
    name,
    binary: typeof parameters?.binary_data === 'boolean' ? parameters.binary_data : binaryOutputs,
  }));
  if (new Set(outputs?.map(({ name }) => name)).size !== (outputs?.length ?? 0)) {
    throw new TensorInvalid('an output is asked for twice; name each once');
  }
  return { id: parsed.data.id, inputs, outputs, binaryOutputs };
}

/** To leave one out in silence would answer with values what was to be classes, or leave a client to read old memory. */
function refuseExtensions(output: string, parameters: Readonly<Record<string, unknown>> | undefined): void {
  const unknown = ['classification', 'shared_memory_region'].find(
    (name) => parameters && Object.hasOwn(parameters, name),
  );
  if (unknown) throw new TensorInvalid(`output ${output}: this server has no extension for ${unknown}`);
}

type RawInput = z.output<typeof inferRequestSchema>['inputs'][number];

function readInput(input: RawInput, binary: { readonly bytes: Buffer; offset: number }): Tensor {
  const { name, shape, datatype, data, parameters } = input;
  if (!isDatatype(datatype)) throw new TensorInvalid(`input ${name}: there is no datatype ${datatype}`);
  const size = parameters?.binary_data_size;
  if (size === undefined) {
    if (data === undefined) throw new TensorInvalid(`input ${name} has neither data nor binary_data_size`);
    return tensorFromValues({ name, datatype, shape, values: data });
  }
  if (data !== undefined) throw new TensorInvalid(`input ${name} has both data and binary_data_size`);
  const end = binary.offset + (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : Infinity);
  if (end > binary.bytes.byteLength) {
    throw new TensorInvalid(
      `input ${name}: binary_data_size is ${size}, but ${binary.bytes.byteLength - binary.offset} bytes are left`,
    );
  }
  const bytes = binary.bytes.subarray(binary.offset, end);
  binary.offset = end;
  return tensorFromBytes({ name, datatype, shape, bytes });
}
