import type { EventDefinition } from '../event-definition';
import type { EventOf } from '../event-definition';

export const monitoringEvents = [] as const satisfies readonly EventDefinition[];

export type MonitoringEvent = EventOf<(typeof monitoringEvents)[number]>;
