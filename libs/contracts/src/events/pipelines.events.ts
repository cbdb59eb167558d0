import { z } from 'zod';
import { defineEvent, type EventDefinition, type EventOf } from '../event-definition';

/** One command of a pipeline, run as a process of its own. */
const step = z.object({
  name: z.string(),
  /** The program and its arguments; no shell is involved. */
  command: z.array(z.string()),
  dependsOn: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  timeoutSeconds: z.number().int().positive(),
  /** How often it may be started in all, when it fails or its machine does. */
  attemptsMax: z.number().int().positive(),
});
export type PipelineStep = z.output<typeof step>;

/** What starts a run by itself. */
const trigger = z.object({
  on: z.enum(['DriftDetected', 'PerformanceDegraded']),
  /** Only of this monitor, by name; absent: of any. */
  monitor: z.string().optional(),
  /** Not again within this time after the last run that was triggered so. */
  cooldownSeconds: z.number().int().nonnegative(),
});
export type PipelineTrigger = z.output<typeof trigger>;

const role = z.enum(['reader', 'contributor', 'approver', 'deployer', 'admin']);

/** Why a run began: a person or program asked, or an event of the platform did. */
const cause = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('request') }),
  z.object({
    kind: z.literal('event'),
    eventId: z.string(),
    eventType: z.string(),
    monitor: z.string(),
  }),
]);
export type RunCause = z.output<typeof cause>;

const storedLog = z.object({
  objectKey: z.string(),
  sizeBytes: z.number().int(),
  sha256: z.string(),
  truncated: z.boolean(),
});
export type StoredLog = z.output<typeof storedLog>;

const pipeline = { pipelineId: z.string(), pipeline: z.string() };
const run = { ...pipeline, pipelineRunId: z.string() };
const runStep = { ...run, step: z.string(), attempt: z.number().int().positive() };

const PIPELINE = { pipelineId: '0199f1c2-0000-7000-8000-00000000000a', pipeline: 'retrain' };
const RUN = { ...PIPELINE, pipelineRunId: '0199f1c2-0000-7000-8000-00000000000b' };
const STEP = {
  name: 'train',
  command: ['python', 'train.py'],
  dependsOn: [],
  env: {},
  timeoutSeconds: 600,
  attemptsMax: 1,
};
const LOG = { objectKey: 'default/pipelines/0199/ab/0199', sizeBytes: 812, sha256: 'b1946ac9', truncated: false };

function pipelinesEvent<const T extends string, D extends z.ZodObject>(
  type: T,
  summary: string,
  data: D,
  example: z.input<D>,
): EventDefinition<T, D> {
  return defineEvent({ service: 'pipelines', type, schema: 1, summary, data, example });
}

const nameEvents = [
  pipelinesEvent('NameClaimed', 'On a name’s own stream: the name means this pipeline.', z.object(pipeline), PIPELINE),
  pipelinesEvent('NameReleased', 'On a name’s own stream: the name is free again.', z.object(pipeline), PIPELINE),
] as const;

const definitionEvents = [
  pipelinesEvent(
    'PipelineDefined',
    'A pipeline exists, or was defined anew: its steps, what triggers it and with which role it acts.',
    z.object({
      ...pipeline,
      /** 1, 2, 3 …: counts the definitions. */
      revision: z.number().int().positive(),
      steps: z.array(step),
      triggers: z.array(trigger),
      role,
    }),
    {
      ...PIPELINE,
      revision: 1,
      steps: [STEP],
      triggers: [{ on: 'DriftDetected', monitor: 'delay', cooldownSeconds: 3600 }],
      role: 'contributor',
    },
  ),
  pipelinesEvent(
    'TriggerFired',
    'On the pipeline’s stream: an event started a run; the cooldown counts from here.',
    z.object({ ...run, eventId: z.string(), eventType: z.string(), monitor: z.string() }),
    { ...RUN, eventId: '7a1c', eventType: 'DriftDetected', monitor: 'delay' },
  ),
  pipelinesEvent('PipelineDeleted', 'A pipeline is gone; its runs stay on record.', z.object(pipeline), PIPELINE),
] as const;

const runEvents = [
  pipelinesEvent(
    'RunTriggered',
    'A run begins, with the whole definition it follows.',
    z.object({
      ...run,
      revision: z.number().int().positive(),
      steps: z.array(step),
      role,
      /** Actor who defined the pipeline: what they may no longer do, its steps may no longer do. */
      definer: z.string(),
      cause,
    }),
    { ...RUN, revision: 1, steps: [STEP], role: 'contributor', definer: 'user:ana', cause: { kind: 'request' } },
  ),
  pipelinesEvent('StepStarted', 'A step’s process is about to start.', z.object(runStep), {
    ...RUN,
    step: 'train',
    attempt: 1,
  }),
  pipelinesEvent(
    'StepSucceeded',
    'A step’s process ended with 0.',
    z.object({
      ...runStep,
      durationMs: z.number().int().nonnegative(),
      /** The last line of its standard output, if that is a JSON object. */
      outputs: z.record(z.string(), z.unknown()),
      log: storedLog.nullable(),
    }),
    { ...RUN, step: 'train', attempt: 1, durationMs: 41_000, outputs: { runId: '4f6a' }, log: LOG },
  ),
  pipelinesEvent(
    'StepFailed',
    'A step’s process ended otherwise, ran out of time, or was lost with its machine.',
    z.object({
      ...runStep,
      reason: z.enum(['exit', 'signal', 'timeout', 'not-started', 'lost', 'cancelled']),
      exitCode: z.number().int().nullable(),
      message: z.string(),
      durationMs: z.number().int().nonnegative(),
      log: storedLog.nullable(),
    }),
    {
      ...RUN,
      step: 'train',
      attempt: 1,
      reason: 'exit',
      exitCode: 2,
      message: 'exited with 2',
      durationMs: 900,
      log: LOG,
    },
  ),
  pipelinesEvent(
    'StepStopped',
    'After StepFailed for the reason `cancelled`: the step’s process has ended, and what it printed until then is stored.',
    z.object({ ...runStep, durationMs: z.number().int().nonnegative(), log: storedLog.nullable() }),
    { ...RUN, step: 'train', attempt: 1, durationMs: 41_000, log: LOG },
  ),
  pipelinesEvent(
    'RunCompleted',
    'Nothing of the run is left to do.',
    z.object({ ...run, status: z.enum(['succeeded', 'failed', 'cancelled']), message: z.string() }),
    { ...RUN, status: 'succeeded', message: '' },
  ),
] as const;

export const pipelinesEvents = [
  ...nameEvents,
  ...definitionEvents,
  ...runEvents,
] as const satisfies readonly EventDefinition[];

export type PipelinesEvent = EventOf<(typeof pipelinesEvents)[number]>;
/** What stands on `<tenant>/pipeline-name:<name>`. */
export type PipelineNameEvent = EventOf<(typeof nameEvents)[number]>;
/** What stands on a pipeline's own stream, `<tenant>/pipeline:<id>`. */
export type PipelineEvent = EventOf<(typeof definitionEvents)[number]>;
/** What stands on a run's own stream, `<tenant>/pipeline-run:<id>`. */
export type PipelineRunEvent = EventOf<(typeof runEvents)[number]>;
