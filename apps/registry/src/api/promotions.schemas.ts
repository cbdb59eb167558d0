import { z } from 'zod';
import type { PromotionGate } from '@mledger/contracts';
import { newAliasName } from '../mlflow/registry.schemas';

const GATES_MAX = 50;
const APPROVALS_MAX = 20;
const REASON_CHARACTERS_MAX = 10_000;
const PROMOTIONS_PAGE_MAX = 1_000;
export const USUAL_ALIAS = 'champion';

const reason = z.string().trim().min(1, 'say why, in a few words').max(REASON_CHARACTERS_MAX);
const alias = newAliasName.default(USUAL_ALIAS);

const gate = z
  .strictObject({
    metric: z.string().min(1).max(250),
    atLeast: z.number().optional(),
    atMost: z.number().optional(),
    notWorseThanChampion: z
      .union([
        z.literal(true).transform(() => ({ tolerance: 0, lowerIsBetter: false })),
        z.strictObject({ tolerance: z.number().nonnegative().default(0), lowerIsBetter: z.boolean().default(false) }),
      ])
      .optional(),
  })
  .refine(
    ({ atLeast, atMost, notWorseThanChampion }) =>
      atLeast !== undefined || atMost !== undefined || notWorseThanChampion !== undefined,
    'a gate needs atLeast, atMost or notWorseThanChampion',
  )
  .transform(oneBoundEach);

/** A gate with several bounds is as many gates, so that each is evaluated and recorded for itself. */
function oneBoundEach({ metric, atLeast, atMost, notWorseThanChampion }: PromotionGate): PromotionGate[] {
  return [
    ...(atLeast === undefined ? [] : [{ metric, atLeast }]),
    ...(atMost === undefined ? [] : [{ metric, atMost }]),
    ...(notWorseThanChampion === undefined ? [] : [{ metric, notWorseThanChampion }]),
  ];
}

export const policy = z.strictObject({
  alias,
  gates: z
    .array(gate)
    .max(GATES_MAX)
    .default([])
    .transform((gates) => gates.flat()),
  approvals: z.number().int().min(0).max(APPROVALS_MAX).default(0),
  pipelinesWithoutApproval: z.array(z.string().min(1).max(256)).max(100).default([]),
});

const version = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number),
  ])
  .pipe(z.number().int().positive().max(999_999_999));

export const promotionRequest = z.strictObject({ version, alias, reason });
export const approval = z
  .strictObject({ comment: z.string().max(REASON_CHARACTERS_MAX).default('') })
  .default({ comment: '' });
export const closing = z.strictObject({ reason });
export const rollback = z.strictObject({ alias, toVersion: version.nullish(), reason });

export const historyQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PROMOTIONS_PAGE_MAX).default(100),
  after: z.string().max(200).optional(),
});
export const promotionsQuery = historyQuery.extend({
  status: z.enum(['pending', 'promoted', 'refused', 'rejected', 'withdrawn']).optional(),
});
export const aliasQuery = z.strictObject({ asOf: z.string().max(100).optional() });
