/**
 * The process around a thread that runs ONNX sessions: a graph that never ends, or that crashes or eats memory, can only be
 * ended with its process, since no native call can be interrupted.
 */
import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { claim, type FromWorker, type Handed, type ToWorker, type WorkerReply } from './worker-messages';

// A thread that fails throws here, which ends the process; the service hears of that.
const thread = new Worker(require.resolve('./onnx.worker.js'));
/** The claims of the runs that are not answered, by id. */
const runs = new Map<number, Int32Array>();

process.on('message', (message: ToWorker) => {
  if (message.kind === 'withdraw') {
    send({ kind: 'withdrawn', ids: takeBack() });
    return;
  }
  const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  if (message.kind === 'run') runs.set(message.id, cell);
  thread.postMessage({ request: message, cell } satisfies Handed);
});

thread.on('message', (reply: WorkerReply) => {
  runs.delete(reply.id);
  send(reply);
});

/** The runs that the thread has not begun; it passes them over. */
function takeBack(): number[] {
  const ids = [...runs].flatMap(([id, cell]) => (claim(cell) ? [id] : []));
  for (const id of ids) runs.delete(id);
  return ids;
}

function send(message: FromWorker): void {
  process.send!(message);
}

// A terminal's Ctrl+C is for the service, which ends this process when it has answered what it took.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
// The service is gone, killed perhaps. `process.exit` would wait for the graph that the thread is at.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
sacrificeFirst();

/** When memory runs out, Linux should end the model that ate it, and not the database or the service. */
function sacrificeFirst(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Another system, which chooses by itself.
  }
}
