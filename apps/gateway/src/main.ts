import { ConfigError, loadConfig } from '@mledger/service-kit';
import { runGateway } from './gateway';

/** EX_CONFIG of sysexits.h: the environment is not as it must be, and starting again will not help. */
const EXIT_CONFIG = 78;

runGateway(loadConfig()).catch((error: unknown) => {
  process.stderr.write(`mledger gateway: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
});
