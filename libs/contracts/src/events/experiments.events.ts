import type { EventDefinition } from '../event-definition';
import type { EventOf } from '../event-definition';

export const experimentsEvents = [] as const satisfies readonly EventDefinition[];

export type ExperimentsEvent = EventOf<(typeof experimentsEvents)[number]>;
