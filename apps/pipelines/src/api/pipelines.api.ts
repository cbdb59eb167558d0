import type { ApiWords } from '@mledger/contracts';
import { cancel, definition, logQuery, page, pipelineName } from './pipelines.schemas';

const PIPELINE = {
  pipelineId: '01a21f3f-6bf2-76be-9095-c0f91fc9dd7d',
  name: 'retrain',
  revision: 1,
  steps: [
    {
      env: {},
      name: 'train',
      command: ['node', '-e', 'console.log("trained")'],
      dependsOn: [],
      attemptsMax: 1,
      timeoutSeconds: 3600,
    },
  ],
  triggers: [{ on: 'DriftDetected', monitor: 'delay', cooldownSeconds: 3600 }],
  role: 'contributor',
  definedBy: 'user:local',
  definedAt: '2026-11-27T23:02:59.848Z',
};
const RUN = {
  pipelineRunId: '01a21f3f-6c61-74ac-9fb5-af63eb2e9e2a',
  pipelineId: '01a21f3f-6bf2-76be-9095-c0f91fc9dd7d',
  pipeline: 'retrain',
  revision: 1,
  status: 'succeeded',
  message: '',
  cause: { kind: 'request' },
  triggeredBy: 'user:local',
  triggeredAt: '2026-11-27T23:02:59.949Z',
  completedAt: '2026-11-27T23:03:00.387Z',
  correlation: '01a21f3f-6c5f-7574-8b84-154d56fe8535',
  steps: [
    {
      name: 'train',
      status: 'succeeded',
      outputs: {},
      attempts: [
        {
          log: {
            sha256: 'd8d882672ffcd6531e030e686eafb85733889641a0fc99e9198fcb606d5994a2',
            objectKey: 'default/pipelines/01a21f3f-6c61-74ac-9fb5-af63eb2e9e2a/ee/01a21f3f-6ddc-72db-a336-d5eeaf1585ec',
            sizeBytes: 8,
            truncated: false,
          },
          reason: '',
          attempt: 1,
          endedAt: '2026-11-27T23:03:00.387Z',
          message: '',
          exitCode: 0,
          startedAt: '2026-11-27T23:03:00.082Z',
          durationMs: 174,
        },
      ],
    },
  ],
};

export const pipelinesApi: ApiWords = {
  'GET /pipelines': {
    summary: 'List the pipelines of the tenant',
    description: 'By name; `next` is the `after` of the next page.',
    query: page,
    answerExample: { pipelines: [PIPELINE], next: null },
  },
  'GET /pipelines/{name}': {
    summary: 'Get a pipeline',
    answerExample: PIPELINE,
  },
  'PUT /pipelines/{name}': {
    summary: 'Define a pipeline, or define it anew',
    description:
      'Steps are programs that run on the platform’s own machines, each when those that it depends on have succeeded. A step is told by its environment where MLedger is, with credentials of its own that have the role `role`, so unmodified clients of MLflow and lakeFS work in it. What it leaves running is killed when it ends. Triggers start a run when the event that they name happens. Runs under way go on with the definition that they began with.',
    params: { name: pipelineName },
    body: definition,
    bodyExample: {
      steps: [{ name: 'train', command: ['node', '-e', 'console.log("trained")'] }],
      triggers: [{ on: 'DriftDetected', monitor: 'delay' }],
    },
    answerExample: PIPELINE,
  },
  'DELETE /pipelines/{name}': {
    summary: 'Delete a pipeline',
    status: 204,
  },
  'GET /pipelines/{name}/runs': {
    summary: 'List the runs of a pipeline',
    description: 'The newest first; `next` is the `after` of the next page.',
    query: page,
    answerExample: { runs: [RUN], next: null },
  },
  'POST /pipelines/{name}/runs': {
    summary: 'Start a run of a pipeline',
    description: 'It takes no body, and answers at once with the run as it begins.',
    status: 201,
    answerExample: {
      pipelineRunId: '01a21f3f-6c61-74ac-9fb5-af63eb2e9e2a',
      pipelineId: '01a21f3f-6bf2-76be-9095-c0f91fc9dd7d',
      pipeline: 'retrain',
      revision: 1,
      status: 'running',
      message: '',
      cause: { kind: 'request' },
      triggeredBy: 'user:local',
      triggeredAt: '2026-11-27T23:02:59.949Z',
      completedAt: null,
      correlation: '01a21f3f-6c5f-7574-8b84-154d56fe8535',
      steps: [{ name: 'train', status: 'waiting', outputs: {}, attempts: [] }],
    },
  },
  'GET /pipeline-runs/{id}': {
    summary: 'Get a run: its steps, their attempts, and what came of each',
    answerExample: RUN,
  },
  'GET /pipeline-runs/{id}/logs': {
    summary: 'Read what a step printed',
    description: 'Of its last attempt, if none is given; while it runs, so far.',
    query: logQuery,
    contentType: 'text/plain',
  },
  'POST /pipeline-runs/{id}/cancel': {
    summary: 'Cancel a run',
    description:
      'Its steps are ended, and get `durationMs` and the log of what they printed until then when their processes have: those may take five seconds over it. 409 where it is over already.',
    body: cancel,
    bodyExample: { reason: 'not needed' },
    answerExample: {
      pipelineRunId: '01a21f3f-7214-7571-8303-a895b101419d',
      pipelineId: '01a21f3f-6bf2-76be-9095-c0f91fc9dd7d',
      pipeline: 'retrain',
      revision: 2,
      status: 'cancelled',
      message: 'not needed',
      cause: { kind: 'request' },
      triggeredBy: 'user:local',
      triggeredAt: '2026-11-27T23:03:01.420Z',
      completedAt: '2026-11-27T23:03:01.712Z',
      correlation: '01a21f3f-7213-745a-afb9-8bda0bf49d4a',
      steps: [
        {
          name: 'train',
          status: 'failed',
          outputs: {},
          attempts: [
            {
              log: null,
              reason: 'cancelled',
              attempt: 1,
              endedAt: '2026-11-27T23:03:01.712Z',
              message: 'not needed',
              exitCode: null,
              startedAt: '2026-11-27T23:03:01.468Z',
              durationMs: 0,
            },
          ],
        },
      ],
    },
  },
};
