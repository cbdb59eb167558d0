import type { TensorData } from './tensor';

/** A tensor on its way to or from a worker, in ONNX's own words. */
export interface WireTensor {
  readonly name: string;
  readonly onnxType: string;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface WireSignature {
  readonly name: string;
  /** null: a sequence or a map, which no request could carry. */
  readonly onnxType: string | null;
  readonly shape: readonly number[];
}

export type WorkerRequest = { readonly id: number; readonly sha256: string } & (
  | { readonly kind: 'load'; readonly bytes: Uint8Array }
  | { readonly kind: 'run'; readonly inputs: readonly WireTensor[]; readonly outputs: readonly string[] }
  | { readonly kind: 'unload' }
);

export type WorkerReply = { readonly id: number } & (
  | { readonly kind: 'loaded'; readonly inputs: readonly WireSignature[]; readonly outputs: readonly WireSignature[] }
  | { readonly kind: 'ran'; readonly ranMs: number; readonly outputs: readonly WireTensor[] }
  | { readonly kind: 'unloaded' }
  | { readonly kind: 'failed'; readonly message: string }
);

/** A request on its way from the process's main thread to the one that runs it. Whoever claims its cell first has it. */
export interface Handed {
  readonly request: WorkerRequest;
  /** One number, shared by both threads. */
  readonly cell: Int32Array;
}

/** True for the first who asks. */
export function claim(cell: Int32Array): boolean {
  return Atomics.compareExchange(cell, 0, 0, 1) === 0;
}

/** `withdraw` asks back the runs that are not begun. */
export type ToWorker = WorkerRequest | { readonly kind: 'withdraw' };

export type FromWorker = WorkerReply | { readonly kind: 'withdrawn'; readonly ids: readonly number[] };
