/**
 * The process around a thread that runs ONNX sessions: a graph that never ends, or that crashes or eats memory, can only be
 * ended with its process, since no native call can be interrupted.
 */
import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { WorkerReply, WorkerRequest } from './worker-messages';

// A thread that fails throws here, which ends the process; the service hears of that.
const thread = new Worker(require.resolve('./onnx.worker.js'));
process.on('message', (request: WorkerRequest) => thread.postMessage(request));
thread.on('message', (reply: WorkerReply) => process.send!(reply));

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
