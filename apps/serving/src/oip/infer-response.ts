import { valuesOf, type Tensor } from '../inference/tensor';
import { bytesOfTensor } from './binary-tensor';

export interface InferResponse {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly outputs: readonly { readonly tensor: Tensor; readonly binary: boolean }[];
}

export interface EncodedResponse {
  readonly body: Buffer;
  /** Bytes of JSON before the binary tensors; undefined when there are none. */
  readonly jsonBytes: number | undefined;
}

/** Writes an infer response; tensors asked for in binary follow the JSON in the order of `outputs`. */
export function encodeInferResponse({ modelName, modelVersion, id, outputs }: InferResponse): EncodedResponse {
  const binaries: Buffer[] = [];
  const described = outputs.map(({ tensor, binary }) => {
    const { name, datatype, shape } = tensor;
    if (!binary) return { name, datatype, shape, data: valuesOf(tensor) };
    const bytes = bytesOfTensor(tensor);
    binaries.push(bytes);
    return { name, datatype, shape, parameters: { binary_data_size: bytes.byteLength } };
  });
  const json = Buffer.from(
    JSON.stringify({ model_name: modelName, model_version: modelVersion, id, outputs: described }),
  );
  return { body: Buffer.concat([json, ...binaries]), jsonBytes: binaries.length > 0 ? json.byteLength : undefined };
}
