import { z } from 'zod';
import { defineEvent, type EventDefinition, type EventOf } from '../event-definition';

const tag = z.object({ key: z.string(), value: z.string() });
const version = z.number().int().positive();

/** A stored file of a model, as experiments told it; `path` is relative to the model's root, where `MLmodel` lies. */
const modelFile = z.object({
  path: z.string(),
  objectKey: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z.string(),
});
export type ModelFile = z.output<typeof modelFile>;

/** Where a version comes from, with all that is needed to fetch its bytes without asking anybody. */
const origin = z.object({
  /** As the client named it: `models:/m-…`, `runs:/<run>/<path>` or `mlflow-artifacts:/…`. */
  source: z.string(),
  /** Where an MLflow client downloads it from: an `mlflow-artifacts:/…` URI where we hold the bytes, else the source. */
  artifactLocation: z.string(),
  runId: z.string().nullable(),
  experimentId: z.string().nullable(),
  loggedModelId: z.string().nullable(),
  /** Digest of the logged model's manifest, where the version was made from one. */
  manifestSha256: z.string().nullable(),
  /** Empty when the source holds no stored files (a prompt, or bytes that were never uploaded). */
  files: z.array(modelFile),
});
export type ModelOrigin = z.output<typeof origin>;

const model = { modelId: z.string(), model: z.string() };
const modelVersion = { ...model, version };
const promotion = { ...model, promotionId: z.string(), version, alias: z.string() };

/** One threshold that a version has to meet; exactly one of the three bounds is given. */
const gate = z.object({
  metric: z.string(),
  atLeast: z.number().optional(),
  atMost: z.number().optional(),
  /** Against whoever holds the alias now; passes, saying so, when nobody does. */
  notWorseThanChampion: z.object({ tolerance: z.number().nonnegative(), lowerIsBetter: z.boolean() }).optional(),
});
export type PromotionGate = z.output<typeof gate>;

const policy = z.object({
  alias: z.string(),
  gates: z.array(gate),
  /** How many people other than the version's author and the requester have to agree. */
  approvals: z.number().int().nonnegative(),
  /** Pipelines, by name, whose promotions need no approval; the gates hold for them too. */
  pipelinesWithoutApproval: z.array(z.string()),
});
export type PromotionPolicy = z.output<typeof policy>;

/** A metric's latest point, and the event that recorded it. Non-finite values are the strings NaN, Infinity, -Infinity. */
const observation = z.object({
  version,
  value: z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]),
  runId: z.string(),
  step: z.number().int(),
  timestampMs: z.number(),
  eventId: z.string(),
});
export type MetricObservation = z.output<typeof observation>;

const MODEL = { modelId: '0199f1c2-0000-7000-8000-000000000001', model: 'delay' };
const FILE = { path: 'model.onnx', objectKey: 'default/experiments/1/a3/0199', sizeBytes: 51_200, sha256: 'b1946ac9' };
const ORIGIN = {
  source: 'models:/m-7d3e5b6a4c1f4e0d9a8b7c6d5e4f3a2b',
  artifactLocation: 'mlflow-artifacts:/1/models/m-7d3e5b6a4c1f4e0d9a8b7c6d5e4f3a2b/artifacts',
  runId: '4f6ac1d0c2b84a6f9b1d8e3f5a7c9e21',
  experimentId: '1',
  loggedModelId: 'm-7d3e5b6a4c1f4e0d9a8b7c6d5e4f3a2b',
  manifestSha256: '9f86d081',
  files: [FILE],
};
const OBSERVED = {
  version: 2,
  value: 0.71,
  runId: ORIGIN.runId,
  step: 0,
  timestampMs: 1_700_000_000_000,
  eventId: '7a1c',
};
const PROMOTION = { ...MODEL, promotionId: '0199f1c2-0000-7000-8000-000000000002', version: 2, alias: 'champion' };
const GATE = { metric: 'holdout_auc', atLeast: 0.6 };

function registryEvent<const T extends string, D extends z.ZodObject>(
  type: T,
  summary: string,
  data: D,
  example: z.input<D>,
): EventDefinition<T, D> {
  return defineEvent({ service: 'registry', type, schema: 1, summary, data, example });
}

const nameEvents = [
  registryEvent(
    'NameClaimed',
    'On a name’s own stream: from here on the name means this registered model.',
    z.object(model),
    MODEL,
  ),
  registryEvent('NameReleased', 'On a name’s own stream: the name is free again.', z.object(model), MODEL),
] as const;

const modelEvents = [
  registryEvent(
    'ModelRegistered',
    'A registered model exists.',
    z.object({ ...model, description: z.string(), tags: z.array(tag) }),
    { ...MODEL, description: '', tags: [] },
  ),
  registryEvent('ModelRenamed', 'A registered model has a new name.', z.object({ ...model, toName: z.string() }), {
    ...MODEL,
    toName: 'late-arrival',
  }),
  registryEvent(
    'ModelDescribed',
    'A registered model has a new description.',
    z.object({ ...model, description: z.string() }),
    { ...MODEL, description: 'Arrives more than 15 minutes late' },
  ),
  registryEvent('ModelTagged', 'A registered model’s tag was set.', z.object({ ...model, ...tag.shape }), {
    ...MODEL,
    key: 'team',
    value: 'arrivals',
  }),
  registryEvent('ModelUntagged', 'A registered model’s tag was removed.', z.object({ ...model, key: z.string() }), {
    ...MODEL,
    key: 'team',
  }),
  registryEvent(
    'ModelDeleted',
    'A registered model is gone, and with it these versions.',
    z.object({ ...model, versions: z.array(version) }),
    { ...MODEL, versions: [1, 2] },
  ),
] as const;

const versionEvents = [
  registryEvent(
    'ModelVersionCreated',
    'The next version of a model; the numbers are dense.',
    z.object({
      ...modelVersion,
      ...origin.shape,
      runLink: z.string(),
      description: z.string(),
      tags: z.array(tag),
    }),
    { ...MODEL, version: 1, ...ORIGIN, runLink: '', description: '', tags: [] },
  ),
  registryEvent(
    'ModelVersionDescribed',
    'A version has a new description.',
    z.object({ ...modelVersion, description: z.string() }),
    { ...MODEL, version: 1, description: 'months 1 to 3' },
  ),
  registryEvent('ModelVersionTagged', 'A version’s tag was set.', z.object({ ...modelVersion, ...tag.shape }), {
    ...MODEL,
    version: 1,
    key: 'validated',
    value: 'yes',
  }),
  registryEvent(
    'ModelVersionUntagged',
    'A version’s tag was removed.',
    z.object({ ...modelVersion, key: z.string() }),
    {
      ...MODEL,
      version: 1,
      key: 'validated',
    },
  ),
  registryEvent('ModelVersionDeleted', 'A version is gone; its number is never used again.', z.object(modelVersion), {
    ...MODEL,
    version: 1,
  }),
  registryEvent(
    'StageTransitioned',
    'A version changed its stage (None, Staging, Production, Archived).',
    z.object({ ...modelVersion, fromStage: z.string(), toStage: z.string() }),
    { ...MODEL, version: 1, fromStage: 'None', toStage: 'Staging' },
  ),
] as const;

const aliasEvents = [
  registryEvent(
    'AliasMoved',
    'An alias now names another version. Serving deploys on this event alone.',
    z.object({
      ...model,
      alias: z.string(),
      fromVersion: version.nullable(),
      toVersion: version,
      reason: z.string(),
      /** The promotion that moved it, or null: by hand, or rolled back. */
      promotionId: z.string().nullable(),
      ...origin.shape,
    }),
    {
      ...MODEL,
      alias: 'champion',
      fromVersion: 1,
      toVersion: 2,
      reason: 'better on June',
      promotionId: PROMOTION.promotionId,
      ...ORIGIN,
    },
  ),
  registryEvent(
    'AliasRemoved',
    'Nobody holds the alias any more.',
    z.object({ ...model, alias: z.string(), fromVersion: version, reason: z.string() }),
    { ...MODEL, alias: 'challenger', fromVersion: 1, reason: 'version 1 was deleted' },
  ),
] as const;

const promotionEvents = [
  registryEvent(
    'PromotionPolicySet',
    'What a version has to meet before it may hold the alias.',
    z.object({ ...model, policy }),
    { ...MODEL, policy: { alias: 'champion', gates: [GATE], approvals: 1, pipelinesWithoutApproval: ['retrain'] } },
  ),
  registryEvent('PromotionPolicyRemoved', 'No alias of the model is protected any more.', z.object(model), MODEL),
  registryEvent(
    'PromotionRequested',
    'Somebody asks that a version hold an alias.',
    z.object({
      ...promotion,
      reason: z.string(),
      gates: z.array(gate),
      approvalsNeeded: z.number().int().nonnegative(),
    }),
    { ...PROMOTION, reason: 'better on June', gates: [GATE], approvalsNeeded: 1 },
  ),
  registryEvent(
    'GateEvaluated',
    'A gate was held against the recorded metrics.',
    z.object({
      ...promotion,
      gate,
      passed: z.boolean(),
      /** The version’s own figure, or null: the metric was never recorded. */
      observed: observation.nullable(),
      /** The champion’s figure, where the gate compares with it. */
      champion: observation.nullable(),
      /** The bound that held, tolerance included; null: nothing to compare with. */
      threshold: z.number().nullable(),
      explanation: z.string(),
    }),
    {
      ...PROMOTION,
      gate: GATE,
      passed: true,
      observed: OBSERVED,
      champion: null,
      threshold: 0.6,
      explanation: 'holdout_auc is 0.71, at least 0.6',
    },
  ),
  registryEvent(
    'PromotionApproved',
    'One person agreed; the promotion follows when enough have.',
    z.object({ ...promotion, comment: z.string(), approvals: z.number().int(), approvalsNeeded: z.number().int() }),
    { ...PROMOTION, comment: 'looked at the residuals', approvals: 1, approvalsNeeded: 1 },
  ),
  registryEvent(
    'PromotionRefused',
    'Gates were not met; explanations name the figures.',
    z.object({ ...promotion, explanations: z.array(z.string()) }),
    { ...PROMOTION, explanations: ['holdout_auc is 0.55, below 0.6'] },
  ),
  registryEvent('PromotionRejected', 'An approver said no.', z.object({ ...promotion, reason: z.string() }), {
    ...PROMOTION,
    reason: 'the sample is too small',
  }),
  registryEvent('PromotionWithdrawn', 'The requester took it back.', z.object({ ...promotion, reason: z.string() }), {
    ...PROMOTION,
    reason: 'a newer one is coming',
  }),
  registryEvent(
    'ModelPromoted',
    'A version holds the alias after gates and approvals; AliasMoved follows in the same append.',
    z.object({
      ...promotion,
      fromVersion: version.nullable(),
      reason: z.string(),
      requestedBy: z.string(),
      approvedBy: z.array(z.string()),
    }),
    { ...PROMOTION, fromVersion: 1, reason: 'better on June', requestedBy: 'user:ana', approvedBy: ['user:bo'] },
  ),
  registryEvent(
    'PromotionRolledBack',
    'The alias goes back to an earlier holder; AliasMoved follows in the same append.',
    z.object({ ...model, alias: z.string(), fromVersion: version, toVersion: version, reason: z.string() }),
    { ...MODEL, alias: 'champion', fromVersion: 2, toVersion: 1, reason: 'errors doubled' },
  ),
] as const;

export const registryEvents = [
  ...nameEvents,
  ...modelEvents,
  ...versionEvents,
  ...aliasEvents,
  ...promotionEvents,
] as const satisfies readonly EventDefinition[];

export type RegistryEvent = EventOf<(typeof registryEvents)[number]>;
/** What stands on a model's own stream, `<tenant>/model:<id>`. */
export type RegisteredModelEvent = Exclude<RegistryEvent, ModelNameEvent>;
/** What stands on `<tenant>/model-name:<name>`. */
export type ModelNameEvent = EventOf<(typeof nameEvents)[number]>;
