import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A process of the installation, as a crash test sees it. */
export class Replica {
  readonly lines: string[] = [];
  private complaints = '';

  private constructor(readonly process: ChildProcess) {
    createInterface({ input: process.stdout! }).on('line', (line) => this.lines.push(line));
    process.stderr!.on('data', (text: Buffer) => (this.complaints += text.toString()));
  }

  static start(environment: Record<string, string>): Replica {
    // Not jest's environment: kafkajs and others behave otherwise under NODE_ENV=test.
    const { PATH = '' } = process.env;
    return new Replica(
      spawn(process.execPath, [join(__dirname, 'replica.cjs')], {
        env: { PATH, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  said(pattern: RegExp): number {
    return this.lines.filter((line) => pattern.test(line)).length;
  }

  get alive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** What it complained of; for a test that fails. */
  get stderr(): string {
    return this.complaints;
  }

  async kill(): Promise<void> {
    if (!this.alive) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }
}
