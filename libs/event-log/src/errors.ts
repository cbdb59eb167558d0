/** A read of shared rows could not be brought up to the caller's own writes in time; maps to 503, try again. */
export class ProjectionLagging extends Error {
  constructor(
    readonly projection: string,
    readonly waitedMs: number,
  ) {
    super(`projection ${projection} has not caught up with the log within ${waitedMs} ms: try again shortly`);
    this.name = 'ProjectionLagging';
  }
}

/** The SQLSTATE of an error from Postgres, through TypeORM's wrapper too. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code;
  const driverError = (error as { driverError?: unknown } | undefined)?.driverError;
  return driverError === undefined ? undefined : sqlState(driverError);
}
