import { join } from 'node:path';
import { TestProcess } from '@mledger/service-kit/testing';

/** Its address is what it says. */
export const READY = /MLedger is ready at (\S+)/;

/** The built standalone on a data folder of the test's, and a free port. */
export function spawnStandalone(home: string, environment: Record<string, string> = {}): TestProcess {
  const main = join(__dirname, '../dist/main.js');
  return TestProcess.spawn(main, { MLEDGER_HOME: home, MLEDGER_PORT: '0', LOG_LEVEL: 'warn', ...environment });
}
