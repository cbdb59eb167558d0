import { availableParallelism } from 'node:os';
import { InferenceWorker, RunAborted, type Asked } from './inference-worker';
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

/** Requests that may wait for a worker; past that, waiting would only make every answer late. */
export const WAITING_MAX = 4_000;

/** Of a model whose last run took less, a worker gets several at once: to hand one over takes as long as to run it. */
const QUICK_MS = 5;
const QUICK_RUNS_MAX = 8;
type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never;

interface LoadedModel {
  readonly bytes: Uint8Array;
  readonly signature: Promise<ModelSignature>;
  readonly running: Set<Promise<WorkerReply>>;
  lastRunMs: number;
}

/**
 * Runs ONNX models in worker threads, each in a process of its own, by the SHA-256 of their bytes: two revisions of the same
 * bytes share a session. They start with the first model, so that a service without endpoints costs no memory for them.
 */
export class SessionPool {
  private readonly workers: InferenceWorker[] = [];
  private readonly models = new Map<string, LoadedModel>();
  /** Runs that no worker is at: one that does not end must hold its own worker, and nobody else's request. */
  private readonly runs: Asked[] = [];
  private nextId = 1;
  private closed = false;

  constructor(
    private readonly processFile: string,
    private readonly size = Math.min(4, availableParallelism()),
    private readonly runMsMax?: number,
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
    this.models.set(sha256, { bytes, signature, running: new Set(), lastRunMs: Number.POSITIVE_INFINITY });
    signature.catch(() => this.models.delete(sha256));
    return signature;
  }

  async unload(sha256: string): Promise<void> {
    const model = this.models.get(sha256);
    if (!model) return;
    this.models.delete(sha256);
    await Promise.allSettled(model.running);
    // Wanted again in the meantime.
    if (this.models.has(sha256)) return;
    await Promise.all(this.workers.map((worker) => this.ask(worker, { kind: 'unload', sha256 })));
  }

  /**
   * Runs a model on tensors that fit its signature, and gives the outputs asked for, in that order.
   *
   * @throws TensorInvalid when the graph itself refuses the tensors; PoolOverloaded when too many requests wait; RunAborted
   *   when the graph does not end, or ends its worker.
   */
  async run(sha256: string, inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]> {
    const model = this.models.get(sha256);
    if (!model) throw new ModelUnusable(`model ${sha256} is not loaded`);
    if (this.runs.length >= WAITING_MAX) {
      throw new PoolOverloaded(`${WAITING_MAX} requests wait already: try again in a moment`);
    }
    const wire = inputs.map(({ name, datatype, shape, data }) => ({
      name,
      onnxType: onnxTypeOf(datatype),
      shape,
      data,
    }));
    const answered = this.asked({ kind: 'run', sha256, inputs: wire, outputs }, (asked) => {
      this.runs.push(asked);
      this.handOut();
    });
    model.running.add(answered);
    const reply = await answered.finally(() => model.running.delete(answered));
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
    await Promise.all(this.workers.map((worker) => worker.end()));
  }

  private async loadEverywhere(sha256: string, bytes: Uint8Array): Promise<ModelSignature> {
    const replies = await Promise.all(
      this.workers.map((worker) => this.ask(worker, { kind: 'load', sha256, bytes })),
    ).catch((error: Error) => {
      // The service stops, which says nothing of the model.
      if (this.closed) throw error;
      throw new ModelUnusable(`not an ONNX graph that can be served: ${error.message}`);
    });
    const failed = replies.find((reply) => reply.kind === 'failed');
    if (failed) {
      await Promise.all(this.workers.map((worker) => this.ask(worker, { kind: 'unload', sha256 })));
      throw new ModelUnusable(`not an ONNX graph that can be served: ${failed.message}`);
    }
    const [first] = replies;
    if (first?.kind !== 'loaded') throw new Error(`the worker answered ${first?.kind} to load`);
    return { inputs: first.inputs.map(tensorSignature), outputs: first.outputs.map(tensorSignature) };
  }

  private ask(worker: InferenceWorker, request: WithoutId<WorkerRequest>): Promise<WorkerReply> {
    return this.asked(request, (asked) => worker.hand(asked));
  }

  private asked(request: WithoutId<WorkerRequest>, place: (asked: Asked) => void): Promise<WorkerReply> {
    const id = this.nextId;
    this.nextId += 1;
    return new Promise((resolve, reject) => place({ request: { id, ...request } as WorkerRequest, resolve, reject }));
  }

  private handOut(): void {
    for (let next = this.runs[0]; next; next = this.runs[0]) {
      const [worker] = this.workers
        .filter((each) => this.hasRoom(each, next))
        .toSorted((a, b) => a.waiting.size - b.waiting.size);
      if (!worker) return;
      this.runs.shift();
      worker.hand(next);
    }
  }

  private hasRoom({ waiting, isLate }: InferenceWorker, next: Asked): boolean {
    if (waiting.size === 0) return true;
    if (isLate) return false;
    return waiting.size < QUICK_RUNS_MAX && [next, ...waiting.values()].every((asked) => this.isQuick(asked));
  }

  private isQuick({ request: { kind, sha256 } }: Asked): boolean {
    return kind === 'run' && (this.models.get(sha256)?.lastRunMs ?? Number.POSITIVE_INFINITY) < QUICK_MS;
  }

  private startWorker(): InferenceWorker {
    const worker: InferenceWorker = new InferenceWorker(
      this.processFile,
      {
        answered: ({ request, resolve }, reply) => {
          const model = this.models.get(request.sha256);
          if (model && reply.kind === 'ran') model.lastRunMs = reply.ranMs;
          resolve(reply);
          this.handOut();
        },
        gaveBack: (runs) => {
          this.runs.unshift(...runs);
          this.handOut();
        },
        ended: (reason) => this.replace(worker, reason),
      },
      this.runMsMax,
    );
    return worker;
  }

  /** A graph that takes its worker down must not take the endpoint down: the next one gets every model again. */
  private replace(worker: InferenceWorker, reason: RunAborted): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
    const [first, ...others] = worker.waiting.values();
    // Not a second time: a model that ends whoever loads it would have every worker of the future.
    if (first?.request.kind === 'load') this.models.delete(first.request.sha256);
    first?.reject(reason);
    if (this.closed) {
      for (const { reject } of [...others, ...this.runs.splice(0)]) reject(reason);
      return;
    }
    const fresh = this.startWorker();
    this.workers.push(fresh);
    for (const [sha256, { bytes }] of this.models) {
      void this.ask(fresh, { kind: 'load', sha256, bytes }).catch(() => undefined);
    }
    for (const asked of others) fresh.hand(asked);
    this.handOut();
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
