import type { EventDefinition } from '../event-definition';
import type { EventOf } from '../event-definition';

export const pipelinesEvents = [] as const satisfies readonly EventDefinition[];

export type PipelinesEvent = EventOf<(typeof pipelinesEvents)[number]>;
