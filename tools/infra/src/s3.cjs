const fs = require('node:fs');
const path = require('node:path');
const { randomBytes } = require('node:crypto');
const { availability, installOnce, run, CommandError } = require('./cache.cjs');
const { claimFolder } = require('./folder-claim.cjs');
const { startServer, onPort } = require('./server-process.cjs');

const VERSION = '1.8.0';
const PACKAGE = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`;
const REGION = 'us-east-1';
const HEALTH_PATH = '/health';
const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 15_000;
const PROBE_TIMEOUT_MS = 1_000;

/**
 * Starts an S3 server (versitygw) on the objects in `dataFolder`. See index.d.cts.
 * @param {import('../index.cjs').S3Options} options
 * @returns {Promise<import('../index.cjs').S3>}
 */
async function startS3({ dataFolder, port, buckets = ['mledger'], log = () => undefined }) {
  const binary = await installVersitygw(log);
  fs.mkdirSync(dataFolder, { recursive: true });
  const folder = fs.realpathSync(dataFolder);
  const claim = await claimFolder({ folder, what: 'The S3 server', stopSignal: 'SIGTERM', log });
  try {
    const credentials = readOrMakeCredentials(folder);
    const objects = path.join(folder, 'objects');
    const metadata = path.join(folder, 'metadata');
    // A folder at the top is a bucket, owned by the root key.
    for (const bucket of buckets) fs.mkdirSync(path.join(objects, bucket), { recursive: true });
    fs.mkdirSync(metadata, { recursive: true });
    const { server, endpoint } = await onPort({ what: 'the S3 server', port }, async (chosen) => {
      const endpoint = `http://127.0.0.1:${chosen}`;
      const server = await startServer({
        what: 'The S3 server',
        command: binary,
        args: [
          ...['--port', `127.0.0.1:${chosen}`, '--region', REGION, '--health', HEALTH_PATH, '--quiet', '--keep-alive'],
          ...['posix', '--sidecar', metadata, objects],
        ],
        // Nothing of ours beside: versitygw reads many variables, and a stray one would change what it does.
        env: {
          PATH: process.env.PATH,
          ROOT_ACCESS_KEY: credentials.accessKeyId,
          ROOT_SECRET_KEY: credentials.secretAccessKey,
        },
        logFile: path.join(folder, 's3.log'),
        stopSignal: 'SIGTERM',
        stopTimeoutMs: STOP_TIMEOUT_MS,
        readyTimeoutMs: READY_TIMEOUT_MS,
        isReady: () => answers(`${endpoint}${HEALTH_PATH}`),
        onSpawn: claim.recordServer,
      });
      return { server, endpoint };
    });
    return {
      endpoint,
      region: REGION,
      ...credentials,
      pid: server.pid,
      exited: server.exited,
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
 * @param {(line: string) => void} log
 * @returns {Promise<string>} the program
 */
async function installVersitygw(log) {
  const folder = await installOnce({
    name: `versitygw-${VERSION}-${process.platform}-${process.arch}`,
    what: `versitygw ${VERSION}`,
    log,
    install: async (target) => {
      await run('go', ['version']).catch((cause) => {
        throw new CommandError(`The S3 server is built with Go, and there is none: ${cause.message}`, { cause });
      });
      log(`Building versitygw ${VERSION}, the S3 server, from the Go module proxy (once, 2 to 4 minutes)`);
      await run('go', ['install', PACKAGE], { env: { GOBIN: target } });
    },
  });
  return path.join(folder, 'versitygw');
}

/**
 * @param {string} folder
 * @returns {{ accessKeyId: string, secretAccessKey: string }}
 */
function readOrMakeCredentials(folder) {
  const file = path.join(folder, 'credentials.json');
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, 'utf8'));
  const credentials = {
    accessKeyId: `MLEDGER${randomBytes(6).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(24).toString('base64url'),
  };
  fs.writeFileSync(`${file}.half`, JSON.stringify(credentials), { mode: 0o600, flush: true });
  fs.renameSync(`${file}.half`, file);
  return credentials;
}

/** @param {string} url */
async function answers(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  await response.arrayBuffer();
  return response.ok;
}

/**
 * Whether the S3 server can be used here; builds it if that has not been done. See index.d.cts.
 * @param {{ log?: (line: string) => void }} [options]
 */
function s3Available({ log = () => undefined } = {}) {
  return availability(() => installVersitygw(log));
}

module.exports = { startS3, s3Available };
