import path from 'node:path';
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import infra from './index.cjs';

const USAGE = `Usage: node tools/infra/cli.mjs up [postgres] [kafka] [s3] [--data <folder>]
       node tools/infra/cli.mjs prepare [kafka] [s3] [python]

up       starts the servers named (all by default) on 127.0.0.1, prints the variables that lead to them,
         and stops them on Ctrl-C. Their data is kept in <folder>, .mledger/infra by default.
prepare  downloads and builds what they need; exits with 1, and says why, if one cannot be had here.`;
const BUCKET = 'mledger';

/** @param {string} line */
const log = (line) => process.stderr.write(`${line}\n`);

/** One entry a server: starts it, and tells the variables that lead to it. */
const SERVERS = {
  /** @param {string} dataFolder */
  postgres: async (dataFolder) => {
    const server = await infra.startPostgres({ dataFolder, log });
    return { server, variables: { DATABASE_URL: server.url } };
  },
  /** @param {string} dataFolder */
  kafka: async (dataFolder) => {
    const server = await infra.startKafka({ dataFolder, log });
    return { server, variables: { KAFKA_BROKERS: server.brokers.join(',') } };
  },
  /** @param {string} dataFolder */
  s3: async (dataFolder) => {
    const server = await infra.startS3({ dataFolder, buckets: [BUCKET], log });
    const variables = {
      S3_ENDPOINT: server.endpoint,
      S3_ACCESS_KEY_ID: server.accessKeyId,
      S3_SECRET_ACCESS_KEY: server.secretAccessKey,
      S3_REGION: server.region,
      S3_BUCKET: BUCKET,
    };
    return { server, variables };
  },
};

const PREPARATIONS = { kafka: infra.kafkaAvailable, s3: infra.s3Available, python: infra.pythonAvailable };

/** @param {(keyof typeof PREPARATIONS)[]} names */
async function prepare(names) {
  let missing = 0;
  for (const name of names) {
    const answer = await PREPARATIONS[name]({ log });
    if (answer.available) continue;
    missing++;
    log(`${name} cannot be used here. ${answer.reason}`);
  }
  return missing === 0 ? 0 : 1;
}

/**
 * @param {string} dataFolder
 * @param {(keyof typeof SERVERS)[]} names
 */
async function up(dataFolder, names) {
  mkdirSync(dataFolder, { recursive: true });
  const stopAsked = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, resolve);
  });
  const keepRunning = setInterval(() => undefined, 60_000);
  const starts = await Promise.allSettled(names.map((name) => SERVERS[name](path.join(dataFolder, name))));
  const failures = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason] : []));
  const running = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  for (const { message } of failures) log(message);
  if (failures.length === 0) {
    for (const { variables } of running) {
      for (const [name, value] of Object.entries(variables)) process.stdout.write(`export ${name}='${value}'\n`);
    }
    log('Ready. Ctrl-C stops them.');
    await stopAsked;
    log('Stopping');
  }
  await Promise.all(running.map(({ server }) => server.stop()));
  clearInterval(keepRunning);
  return failures.length === 0 ? 0 : 1;
}

/** @param {string[]} args */
async function main(args) {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { data: { type: 'string', default: '.mledger/infra' }, help: { type: 'boolean' } },
  });
  const [command, ...wanted] = positionals;
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  if (command === 'up') return up(path.resolve(values.data), chosen(SERVERS, wanted));
  if (command === 'prepare') return prepare(chosen(PREPARATIONS, wanted));
  log(USAGE);
  return 2;
}

/**
 * The names asked for, or all.
 * @template {object} T
 * @param {T} table
 * @param {string[]} wanted
 */
function chosen(table, wanted) {
  const known = Object.keys(table);
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}. Known: ${known.join(', ')}`);
  return /** @type {(keyof T)[]} */ (wanted.length > 0 ? known.filter((name) => wanted.includes(name)) : known);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
