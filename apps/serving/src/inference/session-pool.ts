import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { datatypeOfOnnx, onnxTypeOf, TensorInvalid, type Tensor, type TensorSignature } from './tensor';
import type { WireSignature, WorkerReply, WorkerRequest } from './worker-messages';

export interface ModelSignature {
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
}

/** The bytes are no ONNX graph that can be served; the message says why. */
export class ModelUnusable extends Error {}

/** More requests wait than may; the client should come back. */
export class PoolOverloaded extends Error {}

/** Requests that may wait for one worker; past that, waiting would only make every answer late. */
export const WAITING_PER_WORKER_MAX = 1_000;

type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never;

interface PoolWorker {
  readonly thread: Worker;
  readonly waiting: Map<number, { resolve: (reply: WorkerReply) => void; reject: (error: Error) => void }>;
}

/**
 * Runs ONNX models in worker threads, by the SHA-256 of their bytes: two revisions of the same bytes share a session.
 * Threads start with the first model, so that a service without endpoints costs no memory for them.
 */
export class SessionPool {
  private readonly workers: PoolWorker[] = [];
  private readonly models = new Map<string, { bytes: Uint8Array; signature: Promise<ModelSignature> }>();
  private nextId = 1;
  private closed = false;

  constructor(
    private readonly workerFile: string,
    private readonly size = Math.min(4, availableParallelism()),
  ) {}

  /**
   * Loads a model into every worker.
   *
   * @throws ModelUnusable when it is not an ONNX graph, or takes or gives what no tensor can hold.
   */
  load(sha256: string, bytes: Uint8Array): Promise<ModelSignature> {
    const known = this.models.get(sha256);
    if (known) return known.signature;
    while (this.workers.length < this.size) this.workers.push(this.startWorker());
    const signature = this.loadEverywhere(sha256, bytes);
    this.models.set(sha256, { bytes, signature });
    signature.catch(() => this.models.delete(sha256));
    return signature;
  }

  isLoaded(sha256: string): boolean {
    return this.models.has(sha256);
  }

  async unload(sha256: string): Promise<void> {
    if (!this.models.delete(sha256)) return;
    await Promise.all(this.workers.map((worker) => this.ask(worker, { kind: 'unload', sha256 })));
  }

  /**
   * Runs a model on tensors that fit its signature, and gives the outputs asked for, in that order.
   *
   * @throws TensorInvalid when the graph itself refuses the tensors; PoolOverloaded when too many requests wait.
   */
  async run(sha256: string, inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]> {
    const worker = this.leastBusy();
    const wire = inputs.map(({ name, datatype, shape, data }) => ({
      name,
      onnxType: onnxTypeOf(datatype),
      shape,
      data,
    }));
    const reply = await this.ask(worker, { kind: 'run', sha256, inputs: wire, outputs });
    if (reply.kind === 'failed') throw new TensorInvalid(`the model refused the tensors: ${reply.message}`);
    if (reply.kind !== 'ran') throw new Error(`the worker answered ${reply.kind} to run`);
    return reply.outputs.map(({ name, onnxType, shape, data }) => {
      const datatype = datatypeOfOnnx(onnxType);
      if (!datatype) throw new Error(`output ${name} is ${onnxType}, which no datatype of the protocol holds`);
      return { name, datatype, shape, data };
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.workers.map(({ thread }) => thread.terminate()));
  }

  private async loadEverywhere(sha256: string, bytes: Uint8Array): Promise<ModelSignature> {
    const replies = await Promise.all(this.workers.map((worker) => this.ask(worker, { kind: 'load', sha256, bytes })));
    const failed = replies.find((reply) => reply.kind === 'failed');
    if (failed) {
      await Promise.all(this.workers.map((worker) => this.ask(worker, { kind: 'unload', sha256 })));
      throw new ModelUnusable(`not an ONNX graph that can be served: ${failed.message}`);
    }
    const [first] = replies;
    if (first?.kind !== 'loaded') throw new Error(`the worker answered ${first?.kind} to load`);
    return { inputs: first.inputs.map(tensorSignature), outputs: first.outputs.map(tensorSignature) };
  }

  private leastBusy(): PoolWorker {
    const worker = this.workers.reduce((best, each) => (each.waiting.size < best.waiting.size ? each : best));
    if (worker.waiting.size >= WAITING_PER_WORKER_MAX) {
      throw new PoolOverloaded(`${WAITING_PER_WORKER_MAX} requests wait for each worker: try again in a moment`);
    }
    return worker;
  }

  private ask(worker: PoolWorker, request: WithoutId<WorkerRequest>): Promise<WorkerReply> {
    const id = this.nextId;
    this.nextId += 1;
    return new Promise((resolve, reject) => {
      worker.waiting.set(id, { resolve, reject });
      worker.thread.postMessage({ id, ...request });
    });
  }

  private startWorker(): PoolWorker {
    const worker: PoolWorker = { thread: new Worker(this.workerFile), waiting: new Map() };
    worker.thread.unref();
    worker.thread.on('message', (reply: WorkerReply) => {
      worker.waiting.get(reply.id)?.resolve(reply);
      worker.waiting.delete(reply.id);
    });
    worker.thread.on('error', (error) => this.replace(worker, error));
    worker.thread.on('exit', (code) => this.replace(worker, new Error(`the inference worker ended with ${code}`)));
    return worker;
  }

  /** A graph that takes its thread down must not take the endpoint down: the next thread gets every model again. */
  private replace(worker: PoolWorker, error: Error): void {
    const index = this.workers.indexOf(worker);
    if (index < 0) return;
    this.workers.splice(index, 1);
    for (const { reject } of worker.waiting.values()) reject(error);
    worker.waiting.clear();
    if (this.closed) return;
    const fresh = this.startWorker();
    this.workers.push(fresh);
    for (const [sha256, { bytes }] of this.models) {
      void this.ask(fresh, { kind: 'load', sha256, bytes }).catch(() => undefined);
    }
  }
}

function tensorSignature({ name, onnxType, shape }: WireSignature): TensorSignature {
  const datatype = onnxType === null ? undefined : datatypeOfOnnx(onnxType);
  if (!datatype) {
    const what = onnxType ?? 'a sequence or a map';
    throw new ModelUnusable(`${name} is ${what}, not a tensor that a request could carry (skl2onnx: zipmap=False)`);
  }
  return { name, datatype, shape };
}
