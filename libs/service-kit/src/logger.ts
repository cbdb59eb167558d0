import type { LoggerService } from '@nestjs/common';
import pino from 'pino';
import type { Config } from './config';
import { logContext } from './request-context';

/** Never printed, whatever object they are in. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'secret',
  'secretAccessKey',
  'sealedSecret',
  'token',
  'password',
  'masterKey',
];

/** JSON lines on standard output; each carries service, tenant, request id and correlation of what is at work. */
export class Logger {
  constructor(private readonly pino: pino.Logger) {}

  /** @param destination a stream to write to instead of standard output, as tests do */
  static create(options: { service: string; level: Config['logLevel'] }, destination?: pino.DestinationStream): Logger {
    const settings: pino.LoggerOptions = {
      level: options.level,
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      mixin: () => logContext.getStore() ?? {},
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' },
      serializers: { error: pino.stdSerializers.err },
    };
    return new Logger(destination ? pino(settings, destination) : pino(settings));
  }

  debug(fields: object, message: string): void {
    this.pino.debug(fields, message);
  }

  info(fields: object, message: string): void {
    this.pino.info(fields, message);
  }

  warn(fields: object, message: string): void {
    this.pino.warn(fields, message);
  }

  error(fields: object, message: string): void {
    this.pino.error(fields, message);
  }

  child(fields: object): Logger {
    return new Logger(this.pino.child(fields));
  }
}

/** Nest's own lines: its warnings and errors are ours, its narration of each route at start is not. */
export function nestLogger(logger: Logger): LoggerService {
  const context = (rest: unknown[]) => ({ nest: typeof rest.at(-1) === 'string' ? rest.at(-1) : undefined });
  return {
    log: () => undefined,
    debug: () => undefined,
    verbose: () => undefined,
    warn: (message: unknown, ...rest: unknown[]) => logger.warn(context(rest), String(message)),
    error: (message: unknown, ...rest: unknown[]) => logger.error(context(rest), String(message)),
    fatal: (message: unknown, ...rest: unknown[]) => logger.error(context(rest), String(message)),
  };
}
