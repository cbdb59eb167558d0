import type { EventDefinition } from '../event-definition';
import type { EventOf } from '../event-definition';

export const accessEvents = [] as const satisfies readonly EventDefinition[];

export type AccessEvent = EventOf<(typeof accessEvents)[number]>;
