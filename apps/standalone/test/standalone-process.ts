import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const MAIN = join(__dirname, '../dist/main.js');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built standalone as a process of its own, on a data folder and a port of the test's. */
export class StandaloneProcess {
  output = '';
  readonly ended: Promise<Ended>;

  private constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  static spawn(home: string, environment: Record<string, string> = {}): StandaloneProcess {
    const child = spawn(process.execPath, [MAIN], {
      env: { ...process.env, MLEDGER_HOME: home, MLEDGER_PORT: '0', LOG_LEVEL: 'warn', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new StandaloneProcess(child);
  }

  /** Its address, once it says that it is ready; an error with all it said when it ends before. */
  async ready(): Promise<string> {
    const address = new Promise<string>((resolve) => {
      const look = () => {
        const found = /MLedger is ready at (\S+)/.exec(this.output)?.[1];
        if (found) resolve(found);
      };
      this.child.stdout!.on('data', look);
      look();
    });
    const failed = this.ended.then(({ code }) => {
      throw new Error(`standalone ended with ${code}:\n${this.output}`);
    });
    return Promise.race([address, failed]);
  }

  async stop(): Promise<Ended> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}
