/**
 * The thread that runs ONNX sessions, in a process of its own (onnx.process.ts). `session.run` blocks its thread for as long
 * as the model runs, so it must never be the one that answers requests, nor the one that hears of the service's end.
 */
import { devNull } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { TENSOR_ELEMENTS_MAX } from './tensor';
import {
  claim,
  type Handed,
  type WireSignature,
  type WireTensor,
  type WorkerReply,
  type WorkerRequest,
} from './worker-messages';

const sessions = new Map<string, InferenceSession>();
/** One after the other, in the order in which they came: who asks knows by it which request the thread is at. */
let turn = Promise.resolve();

parentPort!.on('message', (handed: Handed) => {
  turn = turn.then(() => takeUp(handed));
});

async function takeUp({ request, cell }: Handed): Promise<void> {
  // Given back meanwhile, to be run by another worker.
  if (!claim(cell)) return;
  const reply = await answer(request).catch((error: unknown): WorkerReply => {
    const message = withoutSourcePlaces(error instanceof Error ? error.message : String(error));
    return { id: request.id, kind: 'failed', message };
  });
  parentPort!.postMessage(reply);
}

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  switch (request.kind) {
    case 'load':
      return load(request.id, request.sha256, request.bytes);
    case 'run':
      return run(request);
    case 'unload': {
      const session = sessions.get(request.sha256);
      sessions.delete(request.sha256);
      await session?.release();
      return { id: request.id, kind: 'unloaded' };
    }
  }
}

/** What ONNX Runtime says of its own source (`/onnxruntime_src/….cc:191 onnxruntime::Model::Model(…)`) is nothing to clients. */
function withoutSourcePlaces(message: string): string {
  return message.replaceAll(/\S*\.(?:cc|cpp|h):\d+\s+(?:[\w:~]+(?:\([^)]*\))?(?: const)?\s)?/g, '').trim();
}

const SESSION_OPTIONS = {
  // One thread each: several workers run side by side, and more threads inside them would only fight for the cores.
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  // Not even errors: they are ours to tell, and they quote what clients sent.
  logSeverityLevel: 4,
  extra: {
    session: {
      // A graph may say that its tensors lie in files: ONNX Runtime would read any below the working directory, our keys
      // among them, and a prediction would give them away. Nothing lies below this.
      model_external_initializers_file_folder_path: devNull,
      // Its other format is for files of one's own making.
      load_model_format: 'ONNX',
    },
  },
} satisfies InferenceSession.SessionOptions;

async function load(id: number, sha256: string, bytes: Uint8Array): Promise<WorkerReply> {
  const session = sessions.get(sha256) ?? (await createSession(bytes));
  sessions.set(sha256, session);
  return { id, kind: 'loaded', inputs: signature(session.inputMetadata), outputs: signature(session.outputMetadata) };
}

function createSession(bytes: Uint8Array): Promise<InferenceSession> {
  return InferenceSession.create(bytes, SESSION_OPTIONS).catch(refuseOutside);
}

function refuseOutside(error: unknown): never {
  if (!/external data/i.test(String(error))) throw error;
  throw new Error('its tensors lie in files of their own; log it as one file, with save_as_external_data=False');
}

function signature(metadata: readonly InferenceSession.ValueMetadata[]): WireSignature[] {
  return metadata.map((value) => {
    if (!value.isTensor) return { name: value.name, onnxType: null, shape: [] };
    // A dimension that the graph leaves open is named, or is no positive number.
    const shape = value.shape.map((size) => (typeof size === 'number' && size > 0 ? size : -1));
    return { name: value.name, onnxType: value.type, shape };
  });
}

async function run({ id, sha256, inputs, outputs }: Extract<WorkerRequest, { kind: 'run' }>): Promise<WorkerReply> {
  const session = sessions.get(sha256);
  if (!session) throw new Error(`model ${sha256} is not loaded in this worker`);
  const feeds = Object.fromEntries(
    inputs.map(({ name, onnxType, data, shape }) => [
      name,
      new Tensor(onnxType as 'float32', data as Float32Array, [...shape]),
    ]),
  );
  const startedMs = performance.now();
  const results = await session.run(feeds, [...outputs]);
  const ranMs = performance.now() - startedMs;
  // A few values can become billions, which the service could not hold as it can the request's.
  const values = Object.values(results).reduce((sum, { size }) => sum + size, 0);
  if (values > TENSOR_ELEMENTS_MAX) {
    throw new Error(
      `its outputs would hold ${values} values, more than ${TENSOR_ELEMENTS_MAX}; send fewer rows at once`,
    );
  }
  const tensors = outputs.map((name): WireTensor => {
    const { type, data, dims } = results[name]!;
    return { name, onnxType: type, shape: [...dims], data: data as WireTensor['data'] };
  });
  return { id, kind: 'ran', ranMs, outputs: tensors };
}
