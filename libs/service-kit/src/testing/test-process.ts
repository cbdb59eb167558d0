import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A built program in a process of its own, to be watched, stopped and killed. */
export class TestProcess {
  /** All that it has said so far, on either stream. */
  output = '';
  readonly ended: Promise<Ended>;

  private constructor(
    private readonly main: string,
    private readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  /** Runs a program with these variables besides those of the test's own environment. */
  static spawn(main: string, environment: Readonly<Record<string, string>>): TestProcess {
    const env = { ...process.env, ...environment };
    return new TestProcess(main, spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** What the pattern's first group finds in its output, as soon as it is there; an error with all that it said when it ends before. */
  async says(pattern: RegExp): Promise<string> {
    const found = new Promise<string>((resolve) => {
      const look = () => {
        const text = pattern.exec(this.output)?.[1];
        if (text !== undefined) resolve(text);
      };
      for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on('data', look);
      look();
    });
    const failed = this.ended.then(({ code, signal }) => {
      throw new Error(`${this.main} ended (${signal ?? code}):\n${this.output}`);
    });
    return Promise.race([found, failed]);
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}
