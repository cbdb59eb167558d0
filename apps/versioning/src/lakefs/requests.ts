import { z } from 'zod';

/** What lakeFS' REST API takes. A query parameter is text, or a list of texts where it is given more than once. */

const AMOUNT_DEFAULT = 100;
const METADATA_BYTES_MAX = 64 * 1024;

const flag = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['true', 'false', 't', 'f', '1', '0']))
  .default('false')
  .transform((text) => text === 'true' || text === 't' || text === '1');

const texts = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((value) => [value].flat());

const page = {
  prefix: z.string().default(''),
  after: z.string().default(''),
  amount: z.coerce
    .number()
    .int()
    .min(-1)
    .max(1000)
    .default(AMOUNT_DEFAULT)
    .transform((amount) => (amount <= 0 ? AMOUNT_DEFAULT : amount)),
};

const metadata = z
  .record(z.string(), z.string())
  .refine((pairs) => Buffer.byteLength(JSON.stringify(pairs)) <= METADATA_BYTES_MAX, {
    error: `has at most ${METADATA_BYTES_MAX} bytes`,
  });

const path = z.string().min(1);
const force = z.boolean().default(false);
const contentType = z.string().regex(/^[\x20-\x7e]{1,255}$/, { error: 'is up to 255 printable ASCII characters' });
const checksum = z
  .string()
  .transform((text) => text.replaceAll('"', ''))
  .pipe(z.string().min(1).max(255));
const sizeBytes = z.int().nonnegative();
/** RFC 3339, and its offset without the colon too: lakeFS' own Python client writes every time so. */
const moment = z
  .string()
  .transform((text) => text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
  .pipe(z.iso.datetime({ offset: true, error: 'is a time with its offset, such as 2026-01-31T12:00:00Z' }));
/** Up to the year 9999: S3 and Python's clients read no later time, such as that of milliseconds taken for seconds. */
const unixSeconds = z.int().min(0).max(253_402_300_799);

export const pageQuery = z.object(page);
export const repositoriesQuery = z.object({ ...page, search: z.string().default('') });
export const branchesQuery = z.object({ ...page, show_hidden: flag });
export const forceQuery = z.object({ force: flag });

export const createRepository = z.object({
  name: z.string(),
  storage_namespace: z.string().regex(/^[a-z][a-z0-9+.-]*:\/\/[^\s?#]*$/, { error: 'is a URI such as local://name' }),
  default_branch: z.string().default('main'),
  sample_data: z.boolean().default(false),
  read_only: z.boolean().default(false),
  storage_id: z.literal('').default(''),
});
export const createRepositoryQuery = z.object({ bare: flag });
export const setMetadata = z.object({ metadata });
export const removeMetadata = z.object({ keys: z.array(z.string()) });
export const branchProtection = z.array(z.object({ pattern: z.string().min(1).max(255) })).max(100);

export const createBranch = z.object({
  name: z.string(),
  source: z.string(),
  force,
  hidden: z.boolean().default(false),
});
export const createTag = z.object({ id: z.string(), ref: z.string(), force });
export const resetBranch = z.object({
  type: z.enum(['object', 'common_prefix', 'reset']),
  path: z.string().optional(),
  force,
});
export const hardResetQuery = z.object({ ref: z.string().min(1), force: flag });

export const commit = z.object({
  message: z.string(),
  metadata: metadata.default({}),
  date: unixSeconds.optional(),
  allow_empty: z.boolean().default(false),
  force,
});
export const commitQuery = z.object({ source_metarange: z.string().optional() });

const commitOverrides = z.object({ message: z.string().optional(), metadata: metadata.optional() });
const parentNumber = z.int().nonnegative();
export const revert = z.object({
  ref: z.string(),
  parent_number: parentNumber,
  commit_overrides: commitOverrides.default({}),
  allow_empty: z.boolean().default(false),
  force,
});
export const cherryPick = revert.extend({ parent_number: parentNumber.default(0) });

export const merge = z
  .object({
    message: z.string().optional(),
    metadata: metadata.optional(),
    strategy: z.enum(['', 'default', 'source-wins', 'dest-wins']).default('default'),
    force,
    allow_empty: z.boolean().default(false),
    squash_merge: z.boolean().default(false),
  })
  .default({ strategy: 'default', force: false, allow_empty: false, squash_merge: false });

export const logQuery = z.object({
  ...page,
  objects: texts,
  prefixes: texts,
  limit: flag,
  first_parent: flag,
  since: moment.optional(),
  stop_at: z.string().optional(),
});

export const diffQuery = z.object({
  ...page,
  delimiter: z.string().default(''),
  type: z.enum(['two_dot', 'three_dot']).default('three_dot'),
  include_right_stats: flag,
});

export const uploadQuery = z.object({ path, storageClass: z.string().optional(), force: flag });
export const objectQuery = z.object({ path, presign: flag, user_metadata: flag.prefault('true'), force: flag });
export const listQuery = z.object({
  ...page,
  delimiter: z.string().default(''),
  presign: flag,
  user_metadata: flag.prefault('true'),
});
export const deleteObjects = z.object({ paths: z.array(z.string()), force });
export const deleteObjectsQuery = z.object({ force: flag });
export const copyQuery = z.object({ dest_path: path });
export const copyObject = z.object({
  src_path: path,
  src_ref: z.string().optional(),
  force,
  shallow: z.boolean().default(false),
});
export const userMetadata = z.object({ set: metadata });

export const stageObject = z.object({
  physical_address: z.string(),
  checksum,
  size_bytes: sizeBytes,
  mtime: unixSeconds.optional(),
  metadata: metadata.default({}),
  content_type: contentType.default('application/octet-stream'),
  force,
});
export const linkAddress = z.object({
  staging: z.object({ physical_address: z.string().optional() }),
  checksum,
  size_bytes: sizeBytes,
  user_metadata: metadata.default({}),
  content_type: contentType.default('application/octet-stream'),
  mtime: unixSeconds.optional(),
  force,
});
export const pathQuery = z.object({ path });
