import { z } from 'zod';
import { defineEvent, type EventOf } from '../event-definition';

const service = 'experiments';
const RUN = '0197a2c4e1b87f3a9c5d6e7f80912a3b';
const MODEL = 'm-0197a2c4e1b87f3a9c5d6e7f80912a3c';
const EXPERIMENT = '176394120012304817';
const SHA256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

/** Milliseconds since 1970, as MLflow's clients send and read them. */
const milliseconds = z.int();
const keyValue = z.object({ key: z.string(), value: z.string() });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** JSON has no non-finite numbers, so these three travel as text; projections store them as MLflow does. */
export const metricValue = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);

export const metricPoint = z.object({
  key: z.string(),
  value: metricValue,
  timestamp: milliseconds,
  step: z.int(),
  /** The logged model that was measured, and the dataset it was measured on. */
  modelId: z.string().optional(),
  datasetName: z.string().optional(),
  datasetDigest: z.string().optional(),
});
export type MetricPoint = z.output<typeof metricPoint>;

export const datasetInput = z.object({
  name: z.string(),
  digest: z.string(),
  sourceType: z.string(),
  /** As the client sent it, usually a JSON text; a `s3://<repository>/<commit>/<path>` in it is what lineage reads. */
  source: z.string(),
  schema: z.string().optional(),
  profile: z.string().optional(),
  /** `mlflow.data.context` says what the data was for: training, evaluation. */
  tags: z.array(keyValue),
});
export type DatasetInput = z.output<typeof datasetInput>;

export const RUN_STATUSES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const;

export const experimentsEvents = [
  defineEvent({
    service,
    type: 'NameClaimed',
    schema: 1,
    summary: 'An experiment took a name that was free in its tenant.',
    data: z.object({ name: z.string(), experimentId: z.string() }),
    example: { name: 'late-arrivals', experimentId: EXPERIMENT },
  }),
  defineEvent({
    service,
    type: 'NameReleased',
    schema: 1,
    summary: 'A renamed experiment gave its former name back.',
    data: z.object({ name: z.string(), experimentId: z.string() }),
    example: { name: 'late-arrivals', experimentId: EXPERIMENT },
  }),
  defineEvent({
    service,
    type: 'ExperimentCreated',
    schema: 1,
    summary: 'An experiment exists, with its name and where the artifacts of its runs lie.',
    data: z.object({
      experimentId: z.string(),
      name: z.string(),
      artifactLocation: z.string(),
      tags: z.array(keyValue),
    }),
    example: {
      experimentId: EXPERIMENT,
      name: 'late-arrivals',
      artifactLocation: `mlflow-artifacts:/${EXPERIMENT}`,
      tags: [{ key: 'team', value: 'operations' }],
    },
  }),
  defineEvent({
    service,
    type: 'ExperimentRenamed',
    schema: 1,
    summary: 'An experiment has another name.',
    data: z.object({ experimentId: z.string(), fromName: z.string(), toName: z.string() }),
    example: { experimentId: EXPERIMENT, fromName: 'late-arrivals', toName: 'arrival-delay' },
  }),
  defineEvent({
    service,
    type: 'ExperimentTagged',
    schema: 1,
    summary: 'Tags were set on an experiment, replacing those of the same key.',
    data: z.object({ experimentId: z.string(), tags: z.array(keyValue) }),
    example: { experimentId: EXPERIMENT, tags: [{ key: 'team', value: 'operations' }] },
  }),
  defineEvent({
    service,
    type: 'ExperimentTagRemoved',
    schema: 1,
    summary: 'A tag was removed from an experiment.',
    data: z.object({ experimentId: z.string(), key: z.string() }),
    example: { experimentId: EXPERIMENT, key: 'team' },
  }),
  defineEvent({
    service,
    type: 'ExperimentDeleted',
    schema: 1,
    summary: 'An experiment, and with it each of its runs, is hidden until it is restored.',
    data: z.object({ experimentId: z.string() }),
    example: { experimentId: EXPERIMENT },
  }),
  defineEvent({
    service,
    type: 'ExperimentRestored',
    schema: 1,
    summary: 'A deleted experiment is active again.',
    data: z.object({ experimentId: z.string() }),
    example: { experimentId: EXPERIMENT },
  }),
  defineEvent({
    service,
    type: 'RunStarted',
    schema: 1,
    summary: 'A run began, with the tags that its client gave it.',
    data: z.object({
      runId: z.string(),
      experimentId: z.string(),
      name: z.string(),
      /** The name that the client gave itself; who really acted is the event's actor. */
      userId: z.string(),
      startTime: milliseconds,
      artifactUri: z.string(),
      tags: z.array(keyValue),
    }),
    example: {
      runId: RUN,
      experimentId: EXPERIMENT,
      name: 'calm-heron-418',
      userId: 'jo',
      startTime: 1763941200123,
      artifactUri: `mlflow-artifacts:/${EXPERIMENT}/${RUN}/artifacts`,
      tags: [{ key: 'mlflow.source.name', value: 'train.py' }],
    },
  }),
  defineEvent({
    service,
    type: 'ParamsLogged',
    schema: 1,
    summary: 'Parameters of a run, each logged once for ever.',
    data: z.object({ runId: z.string(), params: z.array(keyValue) }),
    example: { runId: RUN, params: [{ key: 'max_depth', value: '6' }] },
  }),
  defineEvent({
    service,
    type: 'MetricsLogged',
    schema: 1,
    summary: 'A batch of measured points of a run.',
    data: z.object({ runId: z.string(), metrics: z.array(metricPoint) }),
    example: { runId: RUN, metrics: [{ key: 'auc', value: 0.78, timestamp: 1763941260000, step: 0, modelId: MODEL }] },
  }),
  defineEvent({
    service,
    type: 'RunTagged',
    schema: 1,
    summary: 'Tags were set on a run, replacing those of the same key.',
    data: z.object({ runId: z.string(), tags: z.array(keyValue) }),
    example: { runId: RUN, tags: [{ key: 'stage', value: 'candidate' }] },
  }),
  defineEvent({
    service,
    type: 'RunTagRemoved',
    schema: 1,
    summary: 'A tag was removed from a run.',
    data: z.object({ runId: z.string(), key: z.string() }),
    example: { runId: RUN, key: 'stage' },
  }),
  defineEvent({
    service,
    type: 'RunRenamed',
    schema: 1,
    summary: 'A run has another name.',
    data: z.object({ runId: z.string(), name: z.string() }),
    example: { runId: RUN, name: 'months 1 to 3' },
  }),
  defineEvent({
    service,
    type: 'InputsLogged',
    schema: 1,
    summary: 'The datasets and models that a run read.',
    data: z.object({
      runId: z.string(),
      datasets: z.array(datasetInput),
      models: z.array(z.object({ modelId: z.string() })),
    }),
    example: {
      runId: RUN,
      datasets: [
        {
          name: 'flights-q1',
          digest: '5a1f03c9',
          sourceType: 's3',
          source: '{"uri": "s3://flights/c4d1a7e0b2/months/01.parquet"}',
          tags: [{ key: 'mlflow.data.context', value: 'training' }],
        },
      ],
      models: [],
    },
  }),
  defineEvent({
    service,
    type: 'OutputsLogged',
    schema: 1,
    summary: 'The logged models that a run made.',
    data: z.object({ runId: z.string(), models: z.array(z.object({ modelId: z.string(), step: z.int() })) }),
    example: { runId: RUN, models: [{ modelId: MODEL, step: 0 }] },
  }),
  defineEvent({
    service,
    type: 'RunFinished',
    schema: 1,
    summary: 'A run ended.',
    data: z.object({ runId: z.string(), status: z.enum(['FINISHED', 'FAILED', 'KILLED']), endTime: milliseconds }),
    example: { runId: RUN, status: 'FINISHED', endTime: 1763941320000 },
  }),
  defineEvent({
    service,
    type: 'RunResumed',
    schema: 1,
    summary: 'A run goes on (or waits to), after it had ended or been scheduled.',
    data: z.object({ runId: z.string(), status: z.enum(['RUNNING', 'SCHEDULED']) }),
    example: { runId: RUN, status: 'RUNNING' },
  }),
  defineEvent({
    service,
    type: 'RunDeleted',
    schema: 1,
    summary: 'A run is hidden until it is restored.',
    data: z.object({ runId: z.string() }),
    example: { runId: RUN },
  }),
  defineEvent({
    service,
    type: 'RunRestored',
    schema: 1,
    summary: 'A deleted run is active again.',
    data: z.object({ runId: z.string() }),
    example: { runId: RUN },
  }),
  defineEvent({
    service,
    type: 'ArtifactStored',
    schema: 1,
    summary:
      'A file of a run or of a logged model is in the object store; a later one at the same path takes its place.',
    data: z.object({
      /** Exactly one of runId and modelId is there: the owner, whose stream this is. */
      runId: z.string().optional(),
      modelId: z.string().optional(),
      experimentId: z.string(),
      /** Relative to the owner's artifact root, segments joined by `/`. */
      path: z.string(),
      sizeBytes: z.int().nonnegative(),
      sha256,
      objectKey: z.string(),
    }),
    example: {
      modelId: MODEL,
      experimentId: EXPERIMENT,
      path: 'model.onnx',
      sizeBytes: 48_213,
      sha256: SHA256,
      objectKey: `default/experiments/${EXPERIMENT}/a3/0197a2c4-e1b8-7f3a-9c5d-6e7f80912aa3`,
    },
  }),
  defineEvent({
    service,
    type: 'ArtifactsDeleted',
    schema: 1,
    summary: 'Files of a run or of a logged model are no longer listed, and their bytes may be gone.',
    data: z.object({
      runId: z.string().optional(),
      modelId: z.string().optional(),
      experimentId: z.string(),
      paths: z.array(z.string()),
    }),
    example: { runId: RUN, experimentId: EXPERIMENT, paths: ['plots/roc.png'] },
  }),
  defineEvent({
    service,
    type: 'LoggedModelCreated',
    schema: 1,
    summary: 'A model is about to be logged; its files follow.',
    data: z.object({
      modelId: z.string(),
      experimentId: z.string(),
      sourceRunId: z.string().optional(),
      name: z.string(),
      modelType: z.string(),
      artifactLocation: z.string(),
      params: z.array(keyValue),
      tags: z.array(keyValue),
    }),
    example: {
      modelId: MODEL,
      experimentId: EXPERIMENT,
      sourceRunId: RUN,
      name: 'model',
      modelType: '',
      artifactLocation: `mlflow-artifacts:/${EXPERIMENT}/models/${MODEL}/artifacts`,
      params: [{ key: 'max_depth', value: '6' }],
      tags: [],
    },
  }),
  defineEvent({
    service,
    type: 'LoggedModelReady',
    schema: 1,
    summary:
      'A logged model is whole; the digest covers each of its files. Changing a file of a ready model says so again.',
    data: z.object({
      modelId: z.string(),
      /** SHA-256 of the RFC 8785 text of `[{path, sha256, sizeBytes}]`, ordered by path. */
      manifestSha256: sha256,
    }),
    example: { modelId: MODEL, manifestSha256: SHA256 },
  }),
  defineEvent({
    service,
    type: 'LoggedModelFailed',
    schema: 1,
    summary: 'The client could not upload a model whole.',
    data: z.object({ modelId: z.string() }),
    example: { modelId: MODEL },
  }),
  defineEvent({
    service,
    type: 'LoggedModelParamsLogged',
    schema: 1,
    summary: 'Parameters of a logged model, each logged once for ever.',
    data: z.object({ modelId: z.string(), params: z.array(keyValue) }),
    example: { modelId: MODEL, params: [{ key: 'max_depth', value: '6' }] },
  }),
  defineEvent({
    service,
    type: 'LoggedModelTagged',
    schema: 1,
    summary: 'Tags were set on a logged model, replacing those of the same key.',
    data: z.object({ modelId: z.string(), tags: z.array(keyValue) }),
    example: { modelId: MODEL, tags: [{ key: 'stage', value: 'candidate' }] },
  }),
  defineEvent({
    service,
    type: 'LoggedModelTagRemoved',
    schema: 1,
    summary: 'A tag was removed from a logged model.',
    data: z.object({ modelId: z.string(), key: z.string() }),
    example: { modelId: MODEL, key: 'stage' },
  }),
  defineEvent({
    service,
    type: 'LoggedModelDeleted',
    schema: 1,
    summary: 'A logged model is no longer listed; its files stay for the versions registered from it.',
    data: z.object({ modelId: z.string() }),
    example: { modelId: MODEL },
  }),
] as const;

export type ExperimentsEvent = EventOf<(typeof experimentsEvents)[number]>;
