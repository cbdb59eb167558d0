import { z } from 'zod';
import { defineEvent, type EventDefinition, type EventOf } from '../event-definition';

const webhook = { webhookId: z.string(), webhook: z.string() };
const WEBHOOK = { webhookId: '0199f1c2-0000-7000-8000-0000000000c1', webhook: 'chat' };

const target = {
  url: z.string(),
  /** CloudEvents types, `mledger.registry.ModelPromoted`; empty is all. */
  types: z.array(z.string()),
  /** The shared secret that signs each delivery, sealed; never in plain. */
  sealedSecret: z.string(),
};
const TARGET = { url: 'https://chat.example/hooks/1', types: ['mledger.registry.ModelPromoted'], sealedSecret: 'v1.…' };

/** Deliveries are working state with retention, not events: a webhook on everything would feed itself. */
export const ledgerEvents = [
  defineEvent({
    service: 'ledger',
    type: 'WebhookCreated',
    schema: 1,
    summary: 'Somebody subscribes a URL to events.',
    data: z.object({ ...webhook, ...target }),
    example: { ...WEBHOOK, ...TARGET },
  }),
  defineEvent({
    service: 'ledger',
    type: 'WebhookChanged',
    schema: 1,
    summary: 'A webhook has another target or other types.',
    data: z.object({ ...webhook, ...target }),
    example: { ...WEBHOOK, ...TARGET },
  }),
  defineEvent({
    service: 'ledger',
    type: 'WebhookDisabled',
    schema: 1,
    summary: 'A webhook gets no deliveries until it is changed.',
    data: z.object({ ...webhook, reason: z.string() }),
    example: { ...WEBHOOK, reason: 'the target answered 410' },
  }),
  defineEvent({
    service: 'ledger',
    type: 'WebhookDeleted',
    schema: 1,
    summary: 'A webhook is gone.',
    data: z.object(webhook),
    example: WEBHOOK,
  }),
] as const satisfies readonly EventDefinition[];

export type LedgerEvent = EventOf<(typeof ledgerEvents)[number]>;
