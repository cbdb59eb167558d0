import type { EventDefinition } from '../event-definition';
import type { EventOf } from '../event-definition';

export const ledgerEvents = [] as const satisfies readonly EventDefinition[];

export type LedgerEvent = EventOf<(typeof ledgerEvents)[number]>;
