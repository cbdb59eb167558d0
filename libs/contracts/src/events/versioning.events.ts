import type { EventDefinition } from '../event-definition';
import type { EventOf } from '../event-definition';

export const versioningEvents = [] as const satisfies readonly EventDefinition[];

export type VersioningEvent = EventOf<(typeof versioningEvents)[number]>;
