import { ConfigError, loadConfig } from '@mledger/service-kit';
import { runStandalone } from './standalone';

/** EX_CONFIG of sysexits.h: the environment is not as it must be, and starting again will not help. */
const EXIT_CONFIG = 78;

async function main(): Promise<void> {
  await runStandalone(loadConfig());
}

main().catch((error: unknown) => {
  process.stderr.write(`MLedger did not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
});
