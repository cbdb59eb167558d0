import { spawn, type ChildProcess } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as delay } from 'node:timers/promises';
import { canonicalJson } from '@mledger/event-log';
import { parseStrictJson } from '@mledger/service-kit';
import type { StepLog } from './step-log';
import { killStrays } from './step-strays';

/** How long a process that was asked to stop may take before it is killed. */
const STOP_MS_MAX = 5_000;
/** What was printed last is read by then; who still holds the pipe could not be found, and is not waited for. */
const DRAIN_MS_MAX = 2_000;
/** A longer last line is not looked at: outputs go into an event. */
const LINE_CHARACTERS_MAX = 16 * 1024;

/**
 * Runs the command as the leader of a process group of its own, with nothing to read. The pipe on the shell's standard
 * input is held open by this process alone: when that ends, also by `kill -9`, the guard reads end-of-file and kills the
 * group. Otherwise an orphan would go on writing while its step is being started again elsewhere.
 */
const LAUNCHER = `exec 3<&0 </dev/null
( while read -r _ <&3; do :; done; kill -KILL -$$ ) >/dev/null 2>&1 &
exec 3<&-
exec "$@"`;

export interface StepProcessOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly timeoutMs: number;
  readonly log: StepLog;
  /** Stops the process before its time: the run was cancelled, the service stops, or somebody else took the run over. */
  readonly signal: AbortSignal;
}

export interface StepExit {
  readonly end: 'exit' | 'signal' | 'timeout' | 'not-started' | 'stopped';
  readonly exitCode: number | null;
  readonly message: string;
  readonly durationMs: number;
  /** The last line of standard output, when it is a JSON object that an event can hold. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** Runs a step's command to its end and says how that was; whatever it leaves running is killed. */
export async function runStepProcess(options: StepProcessOptions): Promise<StepExit> {
  const startedMs = performance.now();
  let child: ChildProcess;
  try {
    child = spawn('/bin/sh', ['-c', LAUNCHER, 'mledger-step', ...options.command], {
      cwd: options.folder,
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
  } catch (error) {
    // Thrown at once when arguments and environment are too large together; other faults are told later.
    return { end: 'not-started', exitCode: null, message: (error as Error).message, durationMs: 0, outputs: {} };
  }
  child.stdin?.on('error', () => undefined);
  const lastLine = new LastLine();
  child.stdout?.on('data', (chunk: Buffer) => {
    options.log.write(chunk);
    lastLine.write(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => options.log.write(chunk));
  const ended = await waitForEnd(child, options);
  return { ...ended, durationMs: Math.round(performance.now() - startedMs), outputs: lastLine.outputs() };
}

async function waitForEnd(
  child: ChildProcess,
  { timeoutMs, signal, folder }: StepProcessOptions,
): Promise<Pick<StepExit, 'end' | 'exitCode' | 'message'>> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null } | Error>((resolve) => {
    child.once('error', resolve);
    child.once('exit', (code, killedBy) => resolve({ code, signal: killedBy }));
  });
  const over = new AbortController();
  const late = delay(timeoutMs, 'timeout' as const, { signal: over.signal }).catch(() => 'exited' as const);
  const stopped = new Promise<'stopped'>((resolve) => {
    if (signal.aborted) resolve('stopped');
    signal.addEventListener('abort', () => resolve('stopped'), { once: true, signal: over.signal });
  });
  const first = await Promise.race([exited, late, stopped]);
  over.abort();
  if (first === 'timeout' || first === 'stopped') await stopGroup(child, exited);
  const result = await exited;
  if (result instanceof Error) return { end: 'not-started', exitCode: null, message: result.message };
  killGroup(child, 'SIGKILL');
  await killStrays([folder]);
  await drained(child, closed);
  if (first === 'timeout') return { end: 'timeout', exitCode: null, message: `ran longer than ${timeoutMs / 1000} s` };
  if (first === 'stopped') return { end: 'stopped', exitCode: null, message: String(signal.reason ?? 'stopped') };
  if (result.signal !== null) return { end: 'signal', exitCode: null, message: `was killed by ${result.signal}` };
  return { end: 'exit', exitCode: result.code, message: `exited with ${result.code}` };
}

async function drained(child: ChildProcess, closed: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = delay(DRAIN_MS_MAX, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([closed, late]);
  over.abort();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

async function stopGroup(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  killGroup(child, 'SIGTERM');
  const over = new AbortController();
  const late = delay(STOP_MS_MAX, 'late', { signal: over.signal }).catch(() => 'exited');
  if ((await Promise.race([exited, late])) === 'late') killGroup(child, 'SIGKILL');
  over.abort();
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Nobody of the group is left.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Keeps the last line of a stream that is not empty, as it passes. */
class LastLine {
  private readonly decoder = new StringDecoder('utf8');
  private line = '';
  private open = '';
  private overlong = false;

  write(chunk: Buffer): void {
    const lines = (this.open + this.decoder.write(chunk)).split('\n');
    this.open = lines.pop() ?? '';
    for (const line of lines) this.keep(line);
    if (this.open.length > LINE_CHARACTERS_MAX) {
      this.open = '';
      this.overlong = true;
    }
  }

  outputs(): Record<string, unknown> {
    this.keep(this.open);
    try {
      const outputs = parseStrictJson(Buffer.from(this.line), {
        bigIntegers: 'as-strings',
        nonFinite: 'as-null-and-strings',
      });
      if (outputs === null || typeof outputs !== 'object' || Array.isArray(outputs)) return {};
      // What the log refuses, as deep nesting, would make a step that is done one that was lost.
      canonicalJson({ outputs });
      return { ...outputs };
    } catch {
      return {};
    }
  }

  private keep(line: string): void {
    if (this.overlong || line.length > LINE_CHARACTERS_MAX) this.line = '';
    else if (line.trim() !== '') this.line = line;
    this.overlong = false;
  }
}
