import { accessEvents } from './events/access.events';
import { experimentsEvents } from './events/experiments.events';
import { ledgerEvents } from './events/ledger.events';
import { monitoringEvents } from './events/monitoring.events';
import { pipelinesEvents } from './events/pipelines.events';
import { registryEvents } from './events/registry.events';
import { servingEvents } from './events/serving.events';
import { versioningEvents } from './events/versioning.events';
import type { EventDefinition } from './event-definition';
import type { ServiceName } from './service-name';

const EVENTS: Record<ServiceName, readonly EventDefinition[]> = {
  access: accessEvents,
  versioning: versioningEvents,
  experiments: experimentsEvents,
  registry: registryEvents,
  serving: servingEvents,
  monitoring: monitoringEvents,
  pipelines: pipelinesEvents,
  ledger: ledgerEvents,
};

/** Every event a service may append, in the order of its file. */
export function eventsOf(service: ServiceName): readonly EventDefinition[] {
  return EVENTS[service];
}

/** What the log must know of a service's events: schema numbers and upcasters by type. */
export function catalogOf(service: ServiceName): Record<string, Pick<EventDefinition, 'schema' | 'upcasters'>> {
  return Object.fromEntries(EVENTS[service].map(({ type, schema, upcasters }) => [type, { schema, upcasters }]));
}
