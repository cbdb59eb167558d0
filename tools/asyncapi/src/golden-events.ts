import { SERVICE_NAMES, eventsOf, type EventDefinition } from '@mledger/contracts';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One stored example of each version of each event ever written; never changed, never removed. */
export const GOLDEN_FOLDER = join(__dirname, '../golden');

export interface GoldenEvent {
  readonly service: string;
  readonly type: string;
  readonly schema: number;
  readonly data: object;
}

const fileOf = ({ service, type, schema }: Pick<EventDefinition, 'service' | 'type' | 'schema'>) =>
  join(GOLDEN_FOLDER, service, `${type}.${schema}.json`);

/** The definitions whose example is not stored yet. */
export function eventsWithoutGolden(): readonly EventDefinition[] {
  return SERVICE_NAMES.flatMap((service) => eventsOf(service)).filter((event) => !existsSync(fileOf(event)));
}

/** Stores the examples that are missing; one that is there stays as it is. */
export function writeMissingGoldens(): void {
  for (const event of eventsWithoutGolden()) {
    mkdirSync(join(GOLDEN_FOLDER, event.service), { recursive: true });
    writeFileSync(fileOf(event), `${JSON.stringify(event.example, null, 2)}\n`, { flag: 'wx' });
  }
}

export function goldenEvents(): readonly GoldenEvent[] {
  return readdirSync(GOLDEN_FOLDER).flatMap((service) =>
    readdirSync(join(GOLDEN_FOLDER, service)).map((file) => {
      const [type = '', schema] = file.split('.');
      return {
        service,
        type,
        schema: Number(schema),
        data: JSON.parse(readFileSync(join(GOLDEN_FOLDER, service, file), 'utf8')) as object,
      };
    }),
  );
}
