import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICE_NAMES } from '@mledger/contracts';
import { loadConfig } from '@mledger/service-kit';
import { parse } from 'yaml';

const root = join(__dirname, '../../..');

interface ComposeService {
  image?: string;
  command: string[];
  environment: Record<string, string>;
}

/** What whoever starts it has in deploy/.env. */
const GIVEN: Record<string, string> = {
  MLEDGER_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
  MLEDGER_ACCESS_KEY_ID: 'AKIAJ00000000000000Q',
  MLEDGER_SECRET_ACCESS_KEY: 'x'.repeat(40),
  POSTGRES_PASSWORD: 'postgres-password',
  S3_SECRET: 's3-secret',
};

/** The file, with `${NAME:?}` filled in as compose does it. */
function readCompose(): Record<string, ComposeService> {
  const text = readFileSync(join(root, 'deploy/compose.yaml'), 'utf8').replace(/\$\{(\w+):\?\}/g, (_whole, name) => {
    if (GIVEN[name as string] === undefined) throw new Error(`${name} is asked for and not told of`);
    return GIVEN[name as string]!;
  });
  return (parse(text, { merge: true }) as { services: Record<string, ComposeService> }).services;
}

/** As deploy/Dockerfile sets it. */
const IMAGE_ENVIRONMENT = { MLEDGER_HOST: '0.0.0.0', MLEDGER_PORT: '5050' };

describe('deploy/compose.yaml', () => {
  const services = readCompose();
  const ours = Object.entries(services).filter(([, { image }]) => image === 'mledger:local');

  it('runs every service, and the gateway', () => {
    expect(ours.map(([name]) => name).sort()).toEqual([...SERVICE_NAMES, 'gateway'].sort());
  });

  it.each(ours)('gives %s what it needs, and something to run', (name, { command, environment }) => {
    expect(command).toEqual(['node', `apps/${name}/dist/main.js`]);
    expect(existsSync(join(root, `apps/${name}/src/main.ts`))).toBe(true);
    const config = loadConfig({ ...IMAGE_ENVIRONMENT, ...environment });
    expect(config).toMatchObject({ auth: 'keys', publicUrl: 'http://gateway:5050', kafkaBrokers: ['kafka:9092'] });
    for (const part of ['masterKey', 'firstKey', 'databaseUrl', 's3'] as const) expect(config[part]).toBeDefined();
  });

  it('tells the gateway where each service is', () => {
    const { serviceUrls } = loadConfig({ ...IMAGE_ENVIRONMENT, ...services.gateway!.environment });
    expect(serviceUrls).toEqual(Object.fromEntries(SERVICE_NAMES.map((name) => [name, [`http://${name}:5050`]])));
  });
});
