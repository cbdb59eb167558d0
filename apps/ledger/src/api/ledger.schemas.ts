import { SERVICE_NAMES } from '@mledger/contracts';
import { z } from 'zod';

const EVENTS_MAX = 1_000;
const DEPTH_MAX = 50;

const text = z.string().min(1).max(4_096).optional();
const asOf = z.string().optional();

export const eventsQuery = z.strictObject({
  stream: text,
  type: text,
  service: z.enum(SERVICE_NAMES).optional(),
  correlation: text,
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(EVENTS_MAX).default(100),
  order: z.enum(['oldest', 'newest']).default('oldest'),
});
export const liveQuery = z.strictObject({ after: z.string().optional() });
export const lineageQuery = z.strictObject({
  asOf,
  direction: z.enum(['both', 'upstream', 'downstream']).default('both'),
  depth: z.coerce.number().int().min(1).max(DEPTH_MAX).default(10),
});
export const explainQuery = z.strictObject({ request: z.string().min(1).max(512), asOf });
export const verifyQuery = z.strictObject({});
