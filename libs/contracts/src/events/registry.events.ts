import type { EventDefinition } from '../event-definition';
import type { EventOf } from '../event-definition';

export const registryEvents = [] as const satisfies readonly EventDefinition[];

export type RegistryEvent = EventOf<(typeof registryEvents)[number]>;
