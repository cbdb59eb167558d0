import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SERVICE_NAMES, type ServiceName } from '@mledger/contracts';

const MAIN = join(__dirname, '../dist/main.js');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built gateway as a process of its own, on a free port. */
export class GatewayProcess {
  output = '';
  readonly ended: Promise<Ended>;

  private constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  /** @param urls the replicas of each service; one that is not named has none */
  static spawn(urls: Partial<Record<ServiceName, readonly string[]>>): GatewayProcess {
    const variables = SERVICE_NAMES.map((name) => [`MLEDGER_${name.toUpperCase()}_URL`, urls[name]?.join(',') ?? '']);
    const child = spawn(process.execPath, [MAIN], {
      env: { ...process.env, ...Object.fromEntries(variables), MLEDGER_PORT: '0', LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new GatewayProcess(child);
  }

  /** Its address, once it listens; an error with all it said when it ends before. */
  async listening(): Promise<string> {
    const address = new Promise<string>((resolve) => {
      const look = () => {
        const found = /"url":"([^"]+)"/.exec(this.output)?.[1];
        if (found) resolve(found);
      };
      this.child.stdout!.on('data', look);
      look();
    });
    const failed = this.ended.then(({ code }) => {
      throw new Error(`the gateway ended with ${code}:\n${this.output}`);
    });
    return Promise.race([address, failed]);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}
