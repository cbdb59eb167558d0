import { resolve } from 'node:path';
import { faultOfSuppliedKey, LOOPBACK_HOSTS, MasterKey, type AccessKey } from '@mledger/access-control';
import { SERVICE_NAMES, type ServiceName } from '@mledger/contracts';
import { z } from 'zod';

const text = z.string().trim().min(1);
const portFault = { error: 'must be a port: 0 to 65535' };
const port = z.coerce.number(portFault).int(portFault).min(0, portFault).max(65_535, portFault);
const list = z.string().transform((value) => value.split(',').map((part) => part.trim()).filter(Boolean)); // prettier-ignore
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

/** The replicas of a service, with commas between them. */
const replicas = list
  .refine((urls) => urls.every((url) => isOrigin(url)), {
    error: 'must be http://host:port, or several with commas between',
  })
  .default([]);

const serviceUrls = Object.fromEntries(
  SERVICE_NAMES.map((name) => [`MLEDGER_${name.toUpperCase()}_URL`, replicas]),
) as Record<`MLEDGER_${Uppercase<ServiceName>}_URL`, typeof replicas>;

/** The whole environment: every variable that MLedger reads, and nothing else is read anywhere. */
const environment = z.object({
  MLEDGER_HOST: text.default('127.0.0.1'),
  MLEDGER_PORT: port.default(5050),
  MLEDGER_GRPC_PORT: port.default(5051),
  MLEDGER_URL: httpUrl.optional(),
  MLEDGER_HOME: text.default('.mledger'),
  MLEDGER_AUTH: z.enum(['open', 'keys'], { error: 'must be open or keys' }).optional(),
  MLEDGER_ALLOWED_HOSTS: list.default([...LOOPBACK_HOSTS]),
  MLEDGER_MASTER_KEY: z
    .string()
    .transform((value, context) => {
      const key = MasterKey.parse(value.trim());
      if (!key) context.addIssue({ code: 'custom', message: 'must be 32 bytes, as 64 hex digits or in base64' });
      return key ?? z.NEVER;
    })
    .optional(),
  MLEDGER_ACCESS_KEY_ID: text.optional(),
  MLEDGER_SECRET_ACCESS_KEY: text.optional(),
  MLEDGER_SYSTEM_ACCESS_KEY_ID: text.optional(),
  MLEDGER_SYSTEM_SECRET_ACCESS_KEY: text.optional(),
  MLEDGER_WEBHOOK_ALLOW: list.default([]),
  MLEDGER_IMPORT_ROOTS: list.default([]),
  ...serviceUrls,
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
  KAFKA_BROKERS: list
    .refine((brokers) => brokers.every((broker) => /^[^:\s]+:\d{1,5}$/.test(broker)), {
      error: 'must be host:port, or several with commas between',
    })
    .default([]),
  KAFKA_REPLICATION_FACTOR: z.coerce.number().int().min(1).max(15).optional(),
  S3_ENDPOINT: httpUrl.optional(),
  S3_BUCKET: text.optional(),
  S3_REGION: text.default('us-east-1'),
  S3_ACCESS_KEY_ID: text.optional(),
  S3_SECRET_ACCESS_KEY: text.optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
});

/** What the environment says. Abstract only so that Nest can inject it by its name; secrets are in it, so it is never logged as a whole. */
export abstract class Config {
  abstract readonly host: string;
  abstract readonly port: number;
  abstract readonly grpcPort: number;
  /** Where clients, a pipeline's steps among them, reach the whole platform; without a slash at its end. */
  abstract readonly publicUrl: string;
  /** Absolute path of the data folder. */
  abstract readonly home: string;
  abstract readonly auth: 'open' | 'keys';
  abstract readonly allowedHosts: readonly string[];
  abstract readonly masterKey: MasterKey | undefined;
  /** The first key of tenant `default`, if it was given. */
  abstract readonly firstKey: AccessKey | undefined;
  /** The first key of tenant `system`, if it was given. */
  abstract readonly systemKey: AccessKey | undefined;
  abstract readonly webhookAllow: readonly string[];
  abstract readonly importRoots: readonly string[];
  /** Where the gateway finds the replicas of each service. */
  abstract readonly serviceUrls: Readonly<Record<ServiceName, readonly string[]>>;
  abstract readonly databaseUrl: string | undefined;
  abstract readonly kafkaBrokers: readonly string[];
  /** Copies of each topic, where we make it. */
  abstract readonly kafkaReplication: number;
  abstract readonly s3: S3Config | undefined;
  abstract readonly logLevel: z.output<typeof environment>['LOG_LEVEL'];
  /** Where traces go; undefined: none are made. */
  abstract readonly otlpEndpoint: string | undefined;
}

export interface S3Config {
  readonly endpoint: string | undefined;
  readonly bucket: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** The environment is not as it must be; each line of the message names a variable and what it wants. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`the configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** What is around the process does not let it start: the message says all, and a stack would hide it. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** @throws ConfigError naming every variable at fault, never its value */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  // A variable that is set to nothing, as compose files do, is one that is not set.
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const result = environment.safeParse(given);
  if (!result.success)
    throw new ConfigError(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  const values = result.data;
  const config: Config = {
    host: values.MLEDGER_HOST,
    port: values.MLEDGER_PORT,
    grpcPort: values.MLEDGER_GRPC_PORT,
    publicUrl:
      values.MLEDGER_URL?.replace(/\/$/, '') ?? `http://${reachable(values.MLEDGER_HOST)}:${values.MLEDGER_PORT}`,
    home: resolve(values.MLEDGER_HOME),
    auth: values.MLEDGER_AUTH ?? (isLoopback(values.MLEDGER_HOST) ? 'open' : 'keys'),
    allowedHosts: values.MLEDGER_ALLOWED_HOSTS.map((host) => host.toLowerCase()),
    masterKey: values.MLEDGER_MASTER_KEY,
    firstKey: pair(values.MLEDGER_ACCESS_KEY_ID, values.MLEDGER_SECRET_ACCESS_KEY),
    systemKey: pair(values.MLEDGER_SYSTEM_ACCESS_KEY_ID, values.MLEDGER_SYSTEM_SECRET_ACCESS_KEY),
    webhookAllow: values.MLEDGER_WEBHOOK_ALLOW,
    importRoots: values.MLEDGER_IMPORT_ROOTS,
    serviceUrls: Object.fromEntries(
      SERVICE_NAMES.map((name) => [name, values[`MLEDGER_${name.toUpperCase()}_URL` as keyof typeof serviceUrls]]),
    ) as unknown as Config['serviceUrls'],
    databaseUrl: values.DATABASE_URL,
    kafkaBrokers: values.KAFKA_BROKERS,
    kafkaReplication: values.KAFKA_REPLICATION_FACTOR ?? Math.min(3, Math.max(1, values.KAFKA_BROKERS.length)),
    s3: values.S3_BUCKET === undefined ? undefined : s3Config(values, values.S3_BUCKET),
    logLevel: values.LOG_LEVEL,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
  const problems = contradictions(values, config);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' && url.pathname === '/' && url.search === '' && url.hash === '';
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** A name for a bind address: one that means every address is none. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function contradictions(values: z.output<typeof environment>, config: Config): string[] {
  const problems: string[] = [];
  if (config.auth === 'open' && !isLoopback(config.host))
    problems.push(`MLEDGER_AUTH: must be keys when MLEDGER_HOST is ${config.host}, which others can reach`);
  const pairs = [
    ['MLEDGER_ACCESS_KEY_ID', 'MLEDGER_SECRET_ACCESS_KEY'],
    ['MLEDGER_SYSTEM_ACCESS_KEY_ID', 'MLEDGER_SYSTEM_SECRET_ACCESS_KEY'],
    ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
  ] as const;
  for (const [id, secret] of pairs)
    if ((values[id] === undefined) !== (values[secret] === undefined))
      problems.push(
        `${values[id] === undefined ? id : secret}: is missing beside ${values[id] === undefined ? secret : id}`,
      );
  for (const [name, key] of [
    ['MLEDGER_SECRET_ACCESS_KEY', config.firstKey],
    ['MLEDGER_SYSTEM_SECRET_ACCESS_KEY', config.systemKey],
  ] as const) {
    // prettier-ignore
    const fault = key && faultOfSuppliedKey(key);
    if (fault) problems.push(`${name}: ${fault}`);
  }
  if (config.firstKey && config.firstKey.keyId === config.systemKey?.keyId)
    problems.push('MLEDGER_SYSTEM_ACCESS_KEY_ID: must not be the same key as MLEDGER_ACCESS_KEY_ID');
  if (values.S3_ENDPOINT !== undefined && values.S3_BUCKET === undefined)
    problems.push('S3_BUCKET: is missing beside S3_ENDPOINT');
  return problems;
}

function pair(keyId: string | undefined, secret: string | undefined): AccessKey | undefined {
  return keyId === undefined || secret === undefined ? undefined : { keyId, secret };
}

function s3Config(values: z.output<typeof environment>, bucket: string): S3Config {
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = values;
  const credentials = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined;
  return { endpoint: values.S3_ENDPOINT, bucket, region: values.S3_REGION, credentials };
}
