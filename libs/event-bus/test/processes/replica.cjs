/**
 * One process of an installation, to be killed by a crash test: a relay of registry, a consumer in serving, or both in
 * one process on the in-process bus. Says on standard output what it does. Runs the built libraries.
 */
const { catalogOf } = require('@mledger/contracts');
const { Consumer, eventBusMigrations, InProcessBus, KafkaBus, Relay } = require('@mledger/event-bus');
const { openEventLog } = require('@mledger/event-log');

const { ROLE, DATABASE_URL, KAFKA_BROKERS, INSTALLATION, DIE_AFTER_PUBLISH, STOP_AT } = process.env;
let reactions = 0;
const say = (line) => process.stdout.write(`${line}\n`);
const complain = ({ error, ...fields }, message) =>
  process.stderr.write(`${message} ${JSON.stringify(fields)} ${error}\n`);
const logger = { debug() {}, info() {}, warn: complain, error: complain };

const openLog = async (service) => {
  const options = { service, url: DATABASE_URL, catalog: catalogOf(service), projections: [], entities: [] };
  const log = await openEventLog({ ...options, migrations: eventBusMigrations });
  log.start();
  return log;
};

const openBus = () =>
  ROLE === 'standalone'
    ? InProcessBus.open({ url: DATABASE_URL, logger })
    : new KafkaBus({
        brokers: KAFKA_BROKERS.split(','),
        clientId: `event-bus-test-${process.pid}`,
        namespace: `${INSTALLATION}.`,
        replicationFactor: 1,
        sessionMs: 6_000,
        logger,
        onFatal(error) {
          complain({ error }, 'fatal');
          process.exit(1);
        },
      });

/** Dies between the broker's acknowledgement and the storing of the position. */
const dyingBus = (bus) => ({
  async publish(topic, messages) {
    await bus.publish(topic, messages);
    say(`published ${messages.length}`);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  },
});

const echo = (log) => ({
  name: 'echo-when-model-tagged',
  from: ['registry'],
  on: ['ModelTagged'],
  async react(event, manager) {
    const n = event.data.tag.value;
    const decide = () => ({ events: [{ type: 'EndpointDeleted', data: { n } }] });
    const target = {
      decider: { kind: 'endpoint', initial: null, decide, evolve: () => null },
      stream: event.stream.replace('model:', 'endpoint:'),
      command: null,
    };
    const context = { tenant: event.tenant, actor: event.actor, cause: event.id, correlation: event.correlation };
    await log.store.handle(target, context, { transaction: manager });
    // The transaction is open: whoever kills us now kills us in the middle of it.
    say(`reacting ${event.stream} ${n}`);
    reactions += 1;
    if (String(reactions) === STOP_AT) process.kill(process.pid, 'SIGSTOP');
  },
});

async function main() {
  const bus = await openBus();
  if (ROLE !== 'consumer') {
    const log = await openLog('registry');
    await new Relay({ service: 'registry', log, bus: DIE_AFTER_PUBLISH ? dyingBus(bus) : bus, logger }).start();
  }
  if (ROLE !== 'relay') {
    const log = await openLog('serving');
    // One at a time, so that a replica that stops itself holds up one partition.
    await new Consumer({ service: 'serving', log, bus, logger, reactions: [echo(log)], transactionsMax: 1 }).start();
  }
  say('started');
}

main().catch((error) => {
  complain({ error }, 'failed');
  process.exit(1);
});
