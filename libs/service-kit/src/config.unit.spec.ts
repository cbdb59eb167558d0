import { ConfigError, loadConfig } from './config';

const problems = (env: Record<string, string>): readonly string[] => {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

describe('the configuration', () => {
  it('is open, on loopback, in a folder of its own, without any variable', () => {
    expect(loadConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 5050,
      grpcPort: 5051,
      auth: 'open',
      publicUrl: 'http://127.0.0.1:5050',
      allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
      home: expect.stringMatching(/^\/.*\.mledger$/),
      kafkaBrokers: [],
      s3: undefined,
    });
  });

  it('reads lists, pairs and services’ addresses, and takes an empty variable for none', () => {
    const config = loadConfig({
      MLEDGER_ALLOWED_HOSTS: 'Localhost, ml.example:5050',
      MLEDGER_REGISTRY_URL: 'http://registry:8080',
      MLEDGER_URL: 'https://ml.example/',
      MLEDGER_MASTER_KEY: 'ab'.repeat(32),
      KAFKA_BROKERS: 'a:9092,b:9092',
      S3_BUCKET: 'mledger',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'secret',
      DATABASE_URL: '',
    });
    expect(config).toMatchObject({
      allowedHosts: ['localhost', 'ml.example:5050'],
      serviceUrls: { registry: ['http://registry:8080'] },
      publicUrl: 'https://ml.example',
      kafkaBrokers: ['a:9092', 'b:9092'],
      kafkaReplication: 2,
      s3: { bucket: 'mledger', credentials: { accessKeyId: 'id', secretAccessKey: 'secret' } },
      databaseUrl: undefined,
    });
  });

  it('requires keys wherever others can reach it', () => {
    expect(loadConfig({ MLEDGER_HOST: '0.0.0.0' }).auth).toBe('keys');
    expect(problems({ MLEDGER_HOST: '0.0.0.0', MLEDGER_AUTH: 'open' })).toEqual([
      'MLEDGER_AUTH: must be keys when MLEDGER_HOST is 0.0.0.0, which others can reach',
    ]);
    expect(problems({ MLEDGER_HOST: '127.0.0.1.evil.example', MLEDGER_AUTH: 'open' })).toHaveLength(1);
  });

  it.each([
    [{ MLEDGER_PORT: 'http' }, 'MLEDGER_PORT: must be a port: 0 to 65535'],
    [{ MLEDGER_PORT: '65536' }, 'MLEDGER_PORT: must be a port: 0 to 65535'],
    [{ KAFKA_BROKERS: 'kafka:9092,kafka' }, 'KAFKA_BROKERS: must be host:port'],
    [{ MLEDGER_AUTH: 'none' }, 'MLEDGER_AUTH: must be open or keys'],
    [{ MLEDGER_MASTER_KEY: 'hunter2' }, 'MLEDGER_MASTER_KEY: must be 32 bytes'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL: must be a postgres:// URL'],
    [{ MLEDGER_SERVING_URL: 'serving' }, 'MLEDGER_SERVING_URL: must be http://host:port'],
    [{ MLEDGER_ACCESS_KEY_ID: 'AKIA1' }, 'MLEDGER_SECRET_ACCESS_KEY: is missing beside MLEDGER_ACCESS_KEY_ID'],
    [{ S3_SECRET_ACCESS_KEY: 'x' }, 'S3_ACCESS_KEY_ID: is missing beside S3_SECRET_ACCESS_KEY'],
    [{ S3_ENDPOINT: 'http://s3' }, 'S3_BUCKET: is missing beside S3_ENDPOINT'],
    [
      { MLEDGER_ACCESS_KEY_ID: 'AKIA1', MLEDGER_SECRET_ACCESS_KEY: 'password' },
      'MLEDGER_SECRET_ACCESS_KEY: the secret must',
    ],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
  ])('refuses %j, naming the variable', (env, message) => {
    const [problem, ...others] = problems(env as Record<string, string>);
    expect(problem).toContain(message);
    expect(others).toEqual([]);
  });

  it('never repeats a secret', () => {
    const text = problems({
      MLEDGER_MASTER_KEY: 'hunter2',
      MLEDGER_ACCESS_KEY_ID: 'a',
      MLEDGER_SECRET_ACCESS_KEY: 'hunter3',
    }).join();
    expect(text).not.toMatch(/hunter/);
  });
});
