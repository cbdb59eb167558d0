/**
 * Appends without end and writes each acknowledgement to standard output, until it is killed. What a service would do, in a
 * process of its own, on the built library.
 */
const { writeSync } = require('node:fs');
const { openEventLog, stream } = require('@mledger/event-log');
const { accountCatalog, accountDecider } = require('@mledger/event-log/testing');
const { balances, turnover } = require('./projections.cjs');

const [url, round] = process.argv.slice(2);
const STREAMS = 20;
const CALLERS = 40;
const context = { tenant: 'acme', actor: 'user:ann', cause: `round-${round}`, correlation: 'loop-1' };

const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`);

async function blindCaller(log, number) {
  for (let count = 0; ; count += 1) {
    const id = stream('acme', 'account', `blind-${(number + count) % STREAMS}`);
    const mark = `${round}-${number}-${count}`;
    const { version } = await log.store.appendBlind(id, [{ type: 'Deposited', data: { amount: 1, mark } }], context);
    say({ stream: id, version, mark });
  }
}

async function decidingCaller(log, number) {
  for (let count = 0; ; count += 1) {
    const id = stream('acme', 'account', `decided-${(number + count) % STREAMS}`);
    const command = { type: 'Deposit', amount: 1 };
    const { version, events } = await log.store.handle({ decider: accountDecider, stream: id, command }, context);
    say({ stream: id, version, id: events[0].id });
  }
}

async function main() {
  const log = await openEventLog({
    service: 'bank',
    url,
    catalog: accountCatalog,
    projections: [balances, turnover],
    poolSizeMax: 8,
  });
  log.start();
  say({ ready: true });
  await Promise.all(
    Array.from({ length: CALLERS }, (_, number) =>
      number % 2 ? blindCaller(log, number) : decidingCaller(log, number),
    ),
  );
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
