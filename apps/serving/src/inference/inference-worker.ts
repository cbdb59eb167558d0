import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { FromWorker, ToWorker, WorkerReply, WorkerRequest } from './worker-messages';

/** As long as MLflow's own server gives a request. */
const RUN_MS_MAX = 60_000;
/** So often is looked at what a worker is at. Runs behind one that takes longer are asked back. */
const LOOK_EVERY_MS = 100;

/** The worker had to be ended while it ran the model, or ended by itself. */
export class RunAborted extends Error {
  constructor(
    readonly reason: 'too-long' | 'crashed',
    message: string,
  ) {
    super(message);
  }
}

/** A request, and who waits for its reply. */
export interface Asked {
  readonly request: WorkerRequest;
  readonly resolve: (reply: WorkerReply) => void;
  readonly reject: (error: Error) => void;
}

export interface WorkerEvents {
  answered(asked: Asked, reply: WorkerReply): void;
  /** Runs that it had not begun and that were asked back, in their order. */
  gaveBack(runs: readonly Asked[]): void;
  /** What it had not answered is still in `waiting`. */
  ended(reason: RunAborted): void;
}

/** A process with a thread that runs ONNX sessions (onnx.process.ts), as the pool sees it. */
export class InferenceWorker {
  /** By id, in the order in which they are answered: the first is the one that the worker is at. */
  readonly waiting = new Map<number, Asked>();
  private readonly process: ChildProcess;
  private readonly look: NodeJS.Timeout;
  /** When it took up the first of those that wait. */
  private sinceMs = performance.now();
  private isOver = false;
  /** It is at something that takes long: what was handed to it would wait. */
  isLate = false;

  constructor(
    processFile: string,
    private readonly events: WorkerEvents,
    private readonly runMsMax = RUN_MS_MAX,
  ) {
    this.process = fork(processFile, {
      serialization: 'advanced',
      // What runs there was made by strangers: none of the service's keys and passwords go along.
      env: {},
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process.unref();
    this.process.channel?.unref();
    this.process.on('message', (message: FromWorker) => this.hear(message));
    this.process.on('error', (error) => this.crashed(`failed: ${error.message}`));
    this.process.on('exit', (code, signal) => this.crashed(`ended with ${signal ?? code}`));
    this.look = setTimeout(() => this.lookAtFirst(), LOOK_EVERY_MS).unref();
  }

  hand(asked: Asked): void {
    if (this.waiting.size === 0) this.takesUpAnother();
    this.waiting.set(asked.request.id, asked);
    this.send(asked.request);
  }

  /** Ends the process, whatever it is at, and returns when it is gone. */
  async end(): Promise<void> {
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }

  private send(message: ToWorker): void {
    // A worker that is gone says so by its end.
    this.process.send(message, () => undefined);
  }

  private hear(message: FromWorker): void {
    // What it waited for is asked of another by now.
    if (this.isOver) return;
    if (message.kind === 'withdrawn') {
      const runs = message.ids.map((id) => this.waiting.get(id)!);
      for (const id of message.ids) this.waiting.delete(id);
      this.events.gaveBack(runs);
      return;
    }
    const asked = this.waiting.get(message.id)!;
    this.waiting.delete(message.id);
    this.takesUpAnother();
    this.events.answered(asked, message);
  }

  private takesUpAnother(): void {
    this.sinceMs = performance.now();
    this.isLate = false;
    this.look.refresh();
  }

  private lookAtFirst(): void {
    if (this.waiting.size === 0) return;
    this.isLate = true;
    this.look.refresh();
    if (performance.now() - this.sinceMs >= this.runMsMax) {
      this.over(new RunAborted('too-long', `the model did not end within ${this.runMsMax / 1000} s`));
    } else if (this.waiting.size > 1) {
      this.send({ kind: 'withdraw' });
    }
  }

  private crashed(how: string): void {
    this.over(new RunAborted('crashed', `the inference worker ${how}`));
  }

  private over(reason: RunAborted): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.look);
    this.process.kill('SIGKILL');
    this.events.ended(reason);
  }
}
