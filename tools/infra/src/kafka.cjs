const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { randomBytes, randomUUID } = require('node:crypto');
const { availability, run } = require('./cache.cjs');
const { claimFolder } = require('./folder-claim.cjs');
const { installKafka } = require('./kafka-install.cjs');
const { startServer, onPort } = require('./server-process.cjs');
const { freePort } = require('./wait.cjs');

const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
const PROBE_TIMEOUT_MS = 1_000;

/**
 * @typedef {import('./kafka-install.cjs').KafkaInstallation} KafkaInstallation
 * @typedef {import('./server-process.cjs').ServerProcess} ServerProcess
 */

/**
 * What differs from Kafka's defaults: one broker that is its own controller, quick to start, to join a group and to come back.
 * @param {{ nodeId: number, port: number, controllerPort: number, dataFolder: string }} options
 */
function serverProperties({ nodeId, port, controllerPort, dataFolder }) {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    // A fixed list of voters stands here and not in the data, so the same data can come back on other ports.
    'controller.quorum.voters': `${nodeId}@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': dataFolder,
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    // Lets a consumer ask for a session of a second, so that the death of another is noticed as fast.
    'group.min.session.timeout.ms': 1000,
    // After a kill the broker is let in again only when its former self has timed out: two seconds instead of nine.
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 400,
    // A topic raises its own max.message.bytes as far as this; the broker's default of 1 MiB stays for the others.
    'replica.fetch.max.bytes': 6 * 1024 * 1024,
    // The default of 128 MiB is taken from the heap at once.
    'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${escapeProperty(String(value))}\n`)
    .join('');
}

/**
 * Starts Apache Kafka on the data in `dataFolder`. See index.d.cts.
 * @param {import('../index.cjs').KafkaOptions} options
 * @returns {Promise<import('../index.cjs').Kafka>}
 */
async function startKafka({ dataFolder, port, nodeId = 1, log = () => undefined }) {
  const installation = await installKafka({ log, train });
  return startBroker({ installation, dataFolder, port, nodeId, log });
}

/**
 * @param {{ installation: KafkaInstallation, dataFolder: string, port?: number, nodeId: number, log: (line: string) => void }} options
 * @returns {Promise<import('../index.cjs').Kafka>}
 */
async function startBroker({ installation, dataFolder, port, nodeId, log }) {
  fs.mkdirSync(dataFolder, { recursive: true });
  const folder = fs.realpathSync(dataFolder);
  if (folder.includes(',')) throw new Error(`Kafka cannot keep data in a folder with a comma in its name: ${folder}`);
  const claim = await claimFolder({ folder, what: 'Kafka', stopSignal: 'SIGTERM', log });
  try {
    await formatOnce({ installation, folder, nodeId });
    const started = await onPort({ what: 'Kafka', port }, async (chosen) => {
      const propertiesFile = path.join(folder, 'server.properties');
      const places = { nodeId, port: chosen, controllerPort: await freePort(), dataFolder: path.join(folder, 'log') };
      fs.writeFileSync(propertiesFile, serverProperties(places));
      const launch = () =>
        launchBroker({ installation, folder, propertiesFile, port: chosen, onSpawn: claim.recordServer });
      return { server: await launch(), launch, chosen };
    });
    const { launch, chosen } = started;
    let { server } = started;
    return {
      brokers: [`127.0.0.1:${chosen}`],
      get pid() {
        return server.pid;
      },
      get exited() {
        return server.exited;
      },
      kill: () => server.kill(),
      restart: async () => {
        await server.stop();
        server = await launch();
      },
      stop: async () => {
        await server.stop();
        claim.release();
      },
    };
  } catch (error) {
    claim.release();
    throw error;
  }
}

/**
 * @param {{ installation: KafkaInstallation, folder: string, propertiesFile: string, port: number, onSpawn: (pid: number) => void }} options
 */
function launchBroker({ installation, folder, propertiesFile, port, onSpawn }) {
  return startServer({
    what: 'Kafka',
    command: installation.java,
    env: { ...process.env, ...installation.env },
    args: ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', ...installation.flags, 'kafka.Kafka', propertiesFile],
    logFile: path.join(folder, 'kafka.log'),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: STOP_TIMEOUT_MS,
    readyTimeoutMs: READY_TIMEOUT_MS,
    isReady: () => knowsItself(port),
    onSpawn,
  });
}

/**
 * Prepares the data folder at the first start: beside it, then renamed, so that it is there whole or not at all.
 * @param {{ installation: KafkaInstallation, folder: string, nodeId: number }} options
 */
async function formatOnce({ installation, folder, nodeId }) {
  const log = path.join(folder, 'log');
  if (fs.existsSync(log)) return;
  const half = path.join(folder, 'log.half');
  const propertiesFile = path.join(folder, 'format.properties');
  fs.rmSync(half, { recursive: true, force: true });
  fs.writeFileSync(propertiesFile, serverProperties({ nodeId, port: 9092, controllerPort: 9093, dataFolder: half }));
  const tool = [...installation.flags, 'kafka.tools.StorageTool', 'format', '-t', clusterId(), '-c', propertiesFile];
  await run(installation.java, tool, { env: installation.env });
  fs.renameSync(half, log);
  fs.rmSync(propertiesFile);
}

/** 16 random bytes; Kafka's own tool would read one that begins with "-" as an option. */
function clusterId() {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? `A${id.slice(1)}` : id;
}

/**
 * Boots a broker on throw-away data and stops it in an orderly way, at which Java writes the archive that `installation` asks for.
 * @param {KafkaInstallation} installation
 */
async function train(installation) {
  const dataFolder = path.join(os.tmpdir(), `mledger-kafka-${randomUUID()}`);
  try {
    const plain = {
      ...installation,
      flags: installation.flags.filter((flag) => !flag.startsWith('-XX:ArchiveClassesAtExit')),
    };
    fs.mkdirSync(dataFolder);
    await formatOnce({ installation: plain, folder: dataFolder, nodeId: 1 });
    const broker = await startBroker({ installation, dataFolder, nodeId: 1, log: () => undefined });
    await broker.stop();
  } finally {
    fs.rmSync(dataFolder, { recursive: true, force: true });
  }
}

/**
 * Asks the broker for the cluster's members (Metadata request, version 1, no topics) and tells whether it is one itself: only then can
 * topics be made.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function knowsItself(port) {
  // size, api key 3, version 1, correlation 1, no client id, no topics
  const request = Buffer.from([0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0]);
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    let answer = Buffer.alloc(0);
    /** @param {boolean} known */
    const finish = (known) => {
      socket.destroy();
      resolve(known);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= 12) finish(answer.readInt32BE(8) > 0); // size, correlation, then the number of brokers
    });
  });
}

/** @param {string} value for a Java properties file, which is read as Latin-1 */
function escapeProperty(value) {
  return value.replace(/[^ -~]|\\/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Whether Kafka can be used here; downloads it if that has not been done. See index.d.cts.
 * @param {{ log?: (line: string) => void }} [options]
 */
function kafkaAvailable({ log = () => undefined } = {}) {
  return availability(() => installKafka({ log, train }));
}

module.exports = { startKafka, kafkaAvailable };
