const { MasterKey } = require('@mledger/access-control');
const { TOPICS } = require('@mledger/contracts');
const { InProcessBus } = require('@mledger/event-bus');
const { openObjectStore } = require('@mledger/object-store');
const { loadConfig, Logger, startService } = require('@mledger/service-kit');
const { servingService } = require('@mledger/serving');

/** The built serving service in a process of its own, to be killed: says its URL on standard output. */
async function main() {
  const config = loadConfig();
  const logger = Logger.create({ service: 'test', level: 'warn' });
  const bus = await InProcessBus.open({ url: config.databaseUrl, logger });
  await bus.ensureTopics(TOPICS);
  const { key: masterKey } = MasterKey.generate();
  const presignSecret = masterKey.keyFor('presign');
  const objectStore = await openObjectStore({ kind: 'disk', root: config.home, presignSecret });
  const runtime = { config, databaseUrl: config.databaseUrl, bus, objectStore, masterKey };
  const service = await startService(servingService, runtime);
  process.stdout.write(`${await service.listen('127.0.0.1', 0)}\n`);
  process.once('SIGTERM', () => void service.stop().then(() => bus.close()));
}

void main();
