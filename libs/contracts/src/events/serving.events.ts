import type { EventDefinition } from '../event-definition';
import type { EventOf } from '../event-definition';

export const servingEvents = [] as const satisfies readonly EventDefinition[];

export type ServingEvent = EventOf<(typeof servingEvents)[number]>;
