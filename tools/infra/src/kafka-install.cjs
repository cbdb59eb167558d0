const fs = require('node:fs');
const path = require('node:path');
const { createHash } = require('node:crypto');
const { installOnce, run, CommandError } = require('./cache.cjs');

const KAFKA_VERSION = '4.4.0';
const JAVA_VERSION_MIN = 17;
/** In the plainest locale, as a service manager or cron has it, Java finds no file in a folder whose name is not ASCII. */
const JAVA_ENV = { LC_ALL: 'C.UTF-8' };
const POM = path.join(__dirname, '..', 'kafka', 'pom.xml');

/**
 * @typedef {object} KafkaInstallation
 * @property {string} java the command
 * @property {NodeJS.ProcessEnv} env what its environment needs besides ours
 * @property {string[]} flags of the Java machine, class path included
 */

/**
 * Finds Java, and downloads the broker's jars from Maven Central the first time. `train` then boots a broker once with the flags it is
 * given, so that Java can archive the classes it loads: a broker boots in half the time with them (README.md).
 * @param {{ log: (line: string) => void, train: (installation: KafkaInstallation) => Promise<void> }} options
 * @returns {Promise<KafkaInstallation>}
 */
async function installKafka({ log, train }) {
  const { java, fingerprint } = await findJava();
  const folder = await installOnce({
    name: `kafka-${KAFKA_VERSION}-${digest(fs.readFileSync(POM))}`,
    what: `Apache Kafka ${KAFKA_VERSION}`,
    log,
    install: (target) => downloadJars(target, log),
  });
  const jars = path.join(folder, 'libs');
  // Listed by name and sorted: Java uses the archive only with the very class path that it was made with.
  const classPath = fs
    .readdirSync(jars)
    .sort()
    .map((jar) => path.join(jars, jar))
    .join(path.delimiter);
  // A broker for development: small heap, the collector and compiler that start fastest.
  const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath];
  const archiveFolder = await installOnce({
    name: `${path.basename(folder)}-classes-${fingerprint}`,
    what: "Kafka's class archive",
    log,
    install: async (target) => {
      log('Archiving the classes of Kafka, so that it starts faster (once, about 5 seconds)');
      await train({
        java,
        env: JAVA_ENV,
        flags: [`-XX:ArchiveClassesAtExit=${path.join(target, 'kafka.jsa')}`, '-Xlog:cds=off', ...flags],
      });
    },
  });
  const archive = path.join(archiveFolder, 'kafka.jsa');
  // `auto`: Java goes on without an archive that does not fit.
  return {
    java,
    env: JAVA_ENV,
    flags: ['-Xshare:auto', `-XX:SharedArchiveFile=${archive}`, '-Xlog:cds=off', ...flags],
  };
}

/**
 * @returns {Promise<{ java: string, fingerprint: string }>} the fingerprint changes with the Java that is installed
 */
async function findJava() {
  const java = process.env.JAVA_HOME ? path.join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
  const version = await run(java, ['-version']).catch((cause) => {
    throw new CommandError(`Kafka needs Java ${JAVA_VERSION_MIN} or newer, and there is none: ${cause.message}`, {
      cause,
    });
  });
  const major = Number(/version "(\d+)/.exec(version)?.[1]);
  if (!(major >= JAVA_VERSION_MIN)) {
    throw new CommandError(`Kafka needs Java ${JAVA_VERSION_MIN} or newer, and ${java} is:\n${version}`);
  }
  return { java, fingerprint: digest(`${java}\n${version}`) };
}

/**
 * @param {string} folder
 * @param {(line: string) => void} log
 */
async function downloadJars(folder, log) {
  await run('mvn', ['--version']).catch((cause) => {
    throw new CommandError(`Kafka's jars are downloaded by Maven (mvn), and there is none: ${cause.message}`, {
      cause,
    });
  });
  log(`Downloading Apache Kafka ${KAFKA_VERSION} from Maven Central (once, about 45 MB)`);
  const goal = [
    'dependency:copy-dependencies',
    `-DoutputDirectory=${path.join(folder, 'libs')}`,
    '-DincludeScope=runtime',
  ];
  await run('mvn', ['-q', '-B', '-f', POM, ...goal]);
}

/** @param {string | Buffer} content */
function digest(content) {
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}

module.exports = { installKafka };
