import { createServer, type AddressInfo } from 'node:net';
import { freePort } from '@mledger/infra';
import { clusterRuntime, loadConfig, Logger } from '../src';
import { startTestService } from '../src/testing';
import { ownProbe } from './probes';

const database = process.env.MLEDGER_TEST_DATABASE_URL!;
const logger = Logger.create({ service: 'pipelines', level: 'silent' });
const start = (environment: Record<string, string>) =>
  clusterRuntime(
    'pipelines',
    loadConfig({
      DATABASE_URL: database,
      MLEDGER_MASTER_KEY: 'ab'.repeat(32),
      KAFKA_BROKERS: '127.0.0.1:1',
      S3_BUCKET: 'mledger',
      ...environment,
    }),
    logger,
  );

describe('a process that cannot start names the variable and the reason', () => {
  it('of a database that is not there', async () => {
    const url = new URL(database);
    url.port = String(await freePort());
    await expect(start({ DATABASE_URL: url.href })).rejects.toThrow(
      `DATABASE_URL: cannot be used: connect ECONNREFUSED 127.0.0.1:${url.port}`,
    );
  });

  it('of a database that does not let it in, without the password', async () => {
    const url = new URL(database);
    url.password = 'hunter2';
    const refused = start({ DATABASE_URL: url.href });
    await expect(refused).rejects.toThrow(/^DATABASE_URL: cannot be used: password authentication failed/);
    await expect(refused).rejects.not.toThrow('hunter2');
  });

  it('of an object store that is not there', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const away = start({ S3_ENDPOINT: endpoint, S3_ACCESS_KEY_ID: 'id', S3_SECRET_ACCESS_KEY: 'hunter2' });
    await expect(away).rejects.toThrow(/^S3_ENDPOINT, S3_BUCKET: cannot be used: .*connect ECONNREFUSED/);
  });

  it('of a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const test = await startTestService(ownProbe);
    try {
      await expect(test.service.listen('127.0.0.1', port)).rejects.toThrow(
        `port ${port} of 127.0.0.1 is taken: stop what listens there, or choose another by MLEDGER_PORT`,
      );
    } finally {
      await test.stop();
      other.close();
    }
  });
});
