import type { PredictionPayload } from '@mledger/contracts';
import type { NewEvent } from '@mledger/event-log';
import type { LedgerWorld } from './ledger-world';

export const COMMIT = 'c'.repeat(64);
export const PARENT = 'b'.repeat(64);
export const RUN = 'run-2';
const FILE = {
  path: 'model.onnx',
  objectKey: 'default/experiments/1/a3/file-2',
  sizeBytes: 10,
  sha256: 'f'.repeat(64),
};
const MODEL = { modelId: 'm-1', model: 'delay' };
const PROMOTION = { ...MODEL, promotionId: 'p-2', version: 2, alias: 'champion' };
const ORIGIN = {
  ...{ source: 'models:/m-logged', artifactLocation: 'mlflow-artifacts:/1/models/m-logged/artifacts', runId: RUN },
  ...{ experimentId: '1', loggedModelId: 'm-logged', manifestSha256: null, files: [FILE] },
};
const GATE = { metric: 'holdout_auc', atLeast: 0.6 };
const WINDOW = { windowId: 'w-1', rows: 100, fromTime: '2026-11-23T08:00:00.000Z', toTime: '2026-11-23T09:00:00.000Z' };

export interface FlightStory {
  readonly prediction: PredictionPayload;
  readonly others: readonly PredictionPayload[];
  readonly driftEvent: string;
}

/**
 * A model's life as the services tell it: data committed, drift found, a pipeline's run that trains on the data, a version
 * promoted after gates and an approval, deployed, and asked.
 */
export async function tellFlightStory(world: LedgerWorld): Promise<FlightStory> {
  const repositoryId = 'r-1';
  await world.tell('versioning', ['repository-name', 'flights'], [claim({ name: 'flights', repositoryId })]);
  await world.tell('versioning', ['branch', `${repositoryId}/main`], [commit()], { actor: 'user:curator' });
  const from = '00000000-0000-7000-8000-000000000000';
  const [driftEvent] = await world.tell('monitoring', ['monitor', 'mon-1'], [drift({ from, to: from })], {
    ...{ actor: 'service:monitoring', correlation: 'c-loop' },
  });
  const trained = { actor: 'pipeline:pl-1', correlation: 'c-loop' };
  await world.tell('pipelines', ['pipeline-run', 'pr-1'], [triggered(driftEvent!)], { ...trained, cause: driftEvent });
  const [step] = await world.tell('pipelines', ['pipeline-run', 'pr-1'], [stepStarted()], trained);
  const inStep = { ...trained, cause: step };
  await world.tell('experiments', ['run', RUN], runEvents(), inStep);
  await world.tell('experiments', ['logged-model', 'm-logged'], loggedModelEvents(), inStep);
  await world.tell('registry', ['model', 'm-1'], [versionCreated(1), versionCreated(2), ...requested()], inStep);
  const [, , moved] = await world.tell('registry', ['model', 'm-1'], promoted(), { actor: 'user:approver' });
  await world.tell('serving', ['endpoint', 'e-1'], [endpointCreated()], { actor: 'user:deployer' });
  await world.tell('serving', ['endpoint', 'e-1'], [deployed()], { actor: 'user:approver', cause: moved });
  const others = [await world.predict(), await world.predict()];
  const prediction = await world.predict({ clientRequestId: 'flight-17' });
  return { prediction, others, driftEvent: driftEvent! };
}

/** What comes of it: the answer's window is judged, and the model rolled back. */
export async function tellRollback(world: LedgerWorld, { prediction, others }: FlightStory): Promise<void> {
  const window = { from: others[0]!.requestId, to: prediction.requestId };
  await world.tell('monitoring', ['monitor', 'mon-1'], [evaluated(window), degraded(window)], {
    actor: 'service:monitoring',
  });
  const data = { ...MODEL, alias: 'champion', fromVersion: 2, toVersion: 1, reason: 'AUC below the floor' };
  const back = { type: 'PromotionRolledBack', data };
  const moved = { type: 'AliasMoved', data: { ...data, promotionId: null, ...ORIGIN } };
  await world.tell('registry', ['model', 'm-1'], [back, moved], { actor: 'user:approver' });
}

function claim(data: object): NewEvent {
  return { type: 'NameClaimed', data };
}

function commit(): NewEvent {
  return {
    type: 'CommitCreated',
    data: {
      ...{ repositoryId: 'r-1', repository: 'flights', branch: 'main', from: PARENT },
      commit: {
        ...{ id: COMMIT, parents: [PARENT], committer: 'user:curator', message: 'Flights of January' },
        ...{ createdAtSeconds: 1_767_225_600, treeId: 'a'.repeat(64), metadata: {}, generation: 2 },
      },
      changes: { added: 31, changed: 0, removed: 0 },
    },
  };
}

function drift(range: { from: string; to: string }): NewEvent {
  const data = { monitorId: 'mon-1', monitor: 'delay', endpoint: 'delay', window: { ...WINDOW, ...range } };
  return { type: 'DriftDetected', data: { ...data, features: [], driftedShare: 1 } };
}

function evaluated(range: { from: string; to: string }): NewEvent {
  const { data } = drift(range);
  return { type: 'WindowEvaluated', data: { ...data, drifted: false, meanPrediction: 0.3 } };
}

function degraded(range: { from: string; to: string }): NewEvent {
  const { data } = drift(range);
  return { type: 'PerformanceDegraded', data: { ...data, performance: { metric: 'auc', value: 0.58, labelled: 9 }, threshold: 0.65 } }; // prettier-ignore
}

function triggered(eventId: string): NewEvent {
  const cause = {
    kind: 'event',
    eventId,
    eventType: 'DriftDetected',
    stream: 'default/monitor:mon-1',
    monitor: 'delay',
  };
  const data = { pipelineId: 'pl-1', pipeline: 'retrain', pipelineRunId: 'pr-1', revision: 1, steps: [] };
  return { type: 'RunTriggered', data: { ...data, role: 'contributor', definer: 'user:operator', cause } };
}

function stepStarted(): NewEvent {
  const data = { pipelineId: 'pl-1', pipeline: 'retrain', pipelineRunId: 'pr-1', step: 'train', attempt: 1 };
  return { type: 'StepStarted', data };
}

function runEvents(): NewEvent[] {
  const artifactUri = `mlflow-artifacts:/1/${RUN}/artifacts`;
  const started = {
    runId: RUN,
    experimentId: '1',
    name: 'months 1-6',
    userId: 'ana',
    startTime: 1,
    artifactUri,
    tags: [],
  };
  const tags = [{ key: 'mlflow.data.context', value: 'training' }];
  const dataset = (month: string, ref: string) => {
    const source = JSON.stringify({ uri: `s3://flights/${ref}/months/${month}.parquet` });
    return { name: `flights/${month}`, digest: 'd1', sourceType: 's3', source, tags };
  };
  const point = (key: string, value: number, timestamp: number) => ({ key, value, timestamp, step: 0 });
  return [
    { type: 'RunStarted', data: started },
    { type: 'ParamsLogged', data: { runId: RUN, params: [{ key: 'max_depth', value: '6' }] } },
    {
      type: 'InputsLogged',
      data: { runId: RUN, datasets: [dataset('01', COMMIT), dataset('02', COMMIT), dataset('03', 'main')], models: [] },
    },
    { type: 'MetricsLogged', data: { runId: RUN, metrics: [point('auc', 0.5, 1), point('auc', 0.78, 2)] } },
    { type: 'RunFinished', data: { runId: RUN, status: 'FINISHED', endTime: 2 } },
  ];
}

function loggedModelEvents(): NewEvent[] {
  const stored = { modelId: 'm-logged', experimentId: '1', ...FILE };
  return [{ type: 'ArtifactStored', data: stored }];
}

function versionCreated(version: number): NewEvent {
  const data = { ...MODEL, version, ...ORIGIN, runLink: '', description: '', tags: [] };
  return { type: 'ModelVersionCreated', data };
}

function requested(): NewEvent[] {
  const observed = { version: 2, value: 0.71, runId: RUN, step: 0, timestampMs: 1, eventId: 'x' };
  return [
    { type: 'PromotionRequested', data: { ...PROMOTION, reason: 'retrained after drift', gates: [GATE], approvalsNeeded: 1 } }, // prettier-ignore
    {
      type: 'GateEvaluated',
      data: {
        ...{ ...PROMOTION, gate: GATE, passed: true, observed, champion: null, threshold: 0.6 },
        explanation: 'holdout_auc is 0.71, at least 0.6',
      },
    },
  ];
}

function promoted(): NewEvent[] {
  const reason = 'retrained after drift';
  const people = { requestedBy: 'pipeline:pl-1', approvedBy: ['user:approver'] };
  return [
    {
      type: 'PromotionApproved',
      data: { ...PROMOTION, comment: 'figures are good', approvals: 1, approvalsNeeded: 1 },
    },
    { type: 'ModelPromoted', data: { ...PROMOTION, fromVersion: 1, reason, ...people } },
    {
      type: 'AliasMoved',
      data: { ...MODEL, alias: 'champion', fromVersion: 1, toVersion: 2, reason, promotionId: 'p-2', ...ORIGIN },
    },
  ];
}

function endpointCreated(): NewEvent {
  const follows = { model: 'delay', alias: 'champion', version: null };
  return { type: 'EndpointCreated', data: { endpointId: 'e-1', endpoint: 'delay', follows } };
}

function deployed(): NewEvent {
  const { objectKey, sizeBytes, sha256 } = FILE;
  const servedModel = { ...MODEL, version: 2, runId: RUN, loggedModelId: 'm-logged', objectKey, sizeBytes, sha256 };
  const reason = 'models:/delay@champion moved from 1 to 2: retrained after drift';
  return { type: 'RevisionDeployed', data: { endpointId: 'e-1', endpoint: 'delay', revision: 2, servedModel, reason } };
}
