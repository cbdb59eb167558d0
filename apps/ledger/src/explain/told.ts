import type {
  ExperimentsEvent,
  MonitoringEvent,
  PipelinesEvent,
  RegistryEvent,
  ServingEvent,
  VersioningEvent,
} from '@mledger/contracts';
import type { LedgerEvent } from '../timeline/ledger-event';

type AnyEvent = VersioningEvent | ExperimentsEvent | RegistryEvent | ServingEvent | MonitoringEvent | PipelinesEvent;
export type EventType = AnyEvent['type'];

/** An event of the timeline whose type is known, and so its data. */
export type Told<T extends EventType> = Omit<LedgerEvent, 'type' | 'data'> & Extract<AnyEvent, { type: T }>;

/** The events of these types, in the order given. */
export function told<T extends EventType>(events: readonly LedgerEvent[], ...types: readonly T[]): Told<T>[] {
  const wanted: ReadonlySet<string> = new Set(types);
  return events.filter(({ type }) => wanted.has(type)) as unknown as Told<T>[];
}
