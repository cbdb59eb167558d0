import { z } from 'zod';
import { BINS_MAX } from '../drift/bins';
import { MAGNITUDE_MAX, type Cell } from '../drift/sample';

export const WINDOW_ROWS_MIN = 20;
export const WINDOW_ROWS_MAX = 50_000;
export const REFERENCE_ROWS_MAX = 50_000;
export const FEATURES_MAX = 200;
export const LABELS_MAX = 50_000;
const PAGE_MAX = 1_000;
const TEXT_CHARACTERS_MAX = 500;
const PATHS_MAX = 1_000;
const ROW_MAX = 2 ** 31 - 1;

const text = z.string().min(1).max(TEXT_CHARACTERS_MAX);

/** One segment of a path. */
export const monitorName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,127}$/, 'must be 1 to 128 letters, digits, _ . - and begin with a letter or digit');

function isCell(value: unknown): value is Cell {
  if (typeof value === 'number') return Math.abs(value) <= MAGNITUDE_MAX;
  if (typeof value === 'string') return value.length <= TEXT_CHARACTERS_MAX;
  return value === null || typeof value === 'boolean';
}

/** Looked at by hand: hundreds of thousands of values, each a union to a schema, would take seconds. */
const column = z.custom<Cell[]>(
  (value) => Array.isArray(value) && value.every(isCell),
  `must be an array of numbers up to ${MAGNITUDE_MAX}, booleans, texts up to ${TEXT_CHARACTERS_MAX} characters, or null`,
);

const committedReference = z.strictObject({
  repository: text,
  commit: text,
  paths: z.array(text).min(1).max(PATHS_MAX),
  columns: z.record(text, column),
});
const servedReference = z.strictObject({
  payloads: z.strictObject({ rows: z.number().int().min(WINDOW_ROWS_MIN).max(REFERENCE_ROWS_MAX) }),
});

/** What is wrong with the form that was meant: a value among hundreds of thousands is not found without its column's name. */
function faultOfReference({ input, errors }: { input?: unknown; errors?: unknown }): string {
  const isObject = typeof input === 'object' && input !== null;
  const meant = isObject ? ['columns', 'payloads'].findIndex((key) => key in input) : -1;
  const [fault] = (errors as { path: PropertyKey[]; message: string }[][])[meant] ?? [];
  if (!fault) return 'must be {repository, commit, paths, columns} or {payloads: {rows}}';
  return fault.path.length === 0 ? fault.message : `${fault.path.map(String).join('.')}: ${fault.message}`;
}

export const monitorBody = z.strictObject({
  endpoint: monitorName,
  windowRows: z.number().int().min(WINDOW_ROWS_MIN).max(WINDOW_ROWS_MAX),
  mode: z.enum(['sound', 'evidently']).default('sound'),
  reference: z.union([committedReference, servedReference], { error: faultOfReference }),
  features: z
    .array(
      z.strictObject({
        feature: text,
        kind: z.enum(['numeric', 'categorical']),
        method: z.enum(['psi', 'js', 'wasserstein', 'ks', 'chi2']).optional(),
        threshold: z.number().positive().max(MAGNITUDE_MAX).optional(),
        bins: z.number().int().min(2).max(BINS_MAX).nullable().default(null),
      }),
    )
    .min(1)
    .max(FEATURES_MAX),
  driftShare: z.number().min(0).max(1).default(0.5),
  performance: z
    .strictObject({
      metric: z.enum(['auc', 'accuracy']),
      output: text.nullable().default(null),
      atLeast: z.number().min(0).max(1),
      labelledShare: z.number().positive().max(1).default(0.9),
    })
    .nullable()
    .default(null),
});
export type MonitorBody = z.output<typeof monitorBody>;

export const labelsBody = z
  .array(
    z.strictObject({
      requestId: z.uuid(),
      row: z.number().int().min(0).max(ROW_MAX),
      label: z.union([z.number(), z.boolean(), z.string().max(TEXT_CHARACTERS_MAX)]),
    }),
  )
  .min(1)
  .max(LABELS_MAX);

const limit = z.coerce.number().int().min(1).max(PAGE_MAX).default(100);
export const noQuery = z.strictObject({});
export const monitorsQuery = z.strictObject({ limit, after: z.string().max(128).optional() });
export const windowsQuery = z.strictObject({
  limit,
  after: z.coerce.number().int().min(1).max(ROW_MAX).default(ROW_MAX),
});
export const alertsQuery = z.strictObject({
  limit,
  after: z.uuid().optional(),
  status: z.enum(['open', 'resolved']).optional(),
});
