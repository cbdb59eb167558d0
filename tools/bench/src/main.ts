import { eventLogSuite } from './event-log.bench';
import { experimentsSuite } from './experiments.bench';
import { formatTable, type Measurement, type Suite } from './measurement';
import { servingSuite } from './serving.bench';

const SUITES: readonly Suite[] = [eventLogSuite, experimentsSuite, servingSuite];

/** `bench <suite>… [--json]`: every suite when none is named. Figures go to standard output, what happens meanwhile to standard error. */
async function main(args: readonly string[]): Promise<void> {
  const json = args.includes('--json');
  const names = args.filter((argument) => !argument.startsWith('--'));
  const unknown = [
    ...names.filter((name) => !SUITES.some((suite) => suite.name === name)),
    ...args.filter((argument) => argument.startsWith('--') && argument !== '--json'),
  ];
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(', ')}\n\nusage: npm run bench -- [suite…] [--json]\n${listSuites()}`);
    process.exitCode = 2;
    return;
  }
  for (const suite of SUITES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const measurements: Measurement[] = [];
    console.error(`${suite.name}: ${suite.summary}`);
    await suite.run((measured) => {
      const measurement = { suite: suite.name, ...measured };
      measurements.push(measurement);
      if (json) console.log(JSON.stringify(measurement));
    });
    if (!json) console.log(`\n${formatTable(measurements)}\n`);
  }
}

function listSuites(): string {
  return SUITES.map(({ name, summary }) => `  ${name.padEnd(16)}${summary}`).join('\n');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
void main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
