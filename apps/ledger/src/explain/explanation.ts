import type { MetricObservation } from '@mledger/contracts';
import { refOf, type EventRef, type LedgerEvent } from '../timeline/ledger-event';
import type { Evidence } from './evidence';
import { told, type Told } from './told';

/** Why an answer was as it was, from the prediction back to the data. Each section names the events that it rests on. */
export interface Explanation {
  readonly prediction: PredictionSection;
  readonly deployment: DeploymentSection | null;
  readonly promotion: PromotionSection | null;
  readonly modelVersion: VersionSection | null;
  readonly run: RunSection | null;
  readonly data: readonly DataSection[];
  /** From the nearest cause of the training back. */
  readonly causes: readonly CauseSection[];
  /** What came later, of what concerns this answer. */
  readonly afterwards: readonly AfterwardsSection[];
}

export type PredictionSection = ReturnType<typeof predictionSection>;
export type DeploymentSection = NonNullable<ReturnType<typeof deploymentSection>>;
export type PromotionSection = NonNullable<ReturnType<typeof promotionSection>>;
export type VersionSection = NonNullable<ReturnType<typeof versionSection>>;
export type RunSection = NonNullable<ReturnType<typeof runSection>>;
export type DataSection = ReturnType<typeof dataSections>[number];

export interface CauseSection {
  readonly what: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly event: EventRef;
}
export interface AfterwardsSection {
  readonly what: string;
  readonly by: string;
  readonly reason: string | null;
  readonly event: EventRef;
}

/** Pure: the same evidence, the same explanation. */
export function explain(evidence: Evidence): Explanation {
  const deployed = deployedBy(evidence);
  const moved = aliasMoveOf(evidence, deployed);
  const created = versionOf(evidence);
  return {
    prediction: predictionSection(evidence),
    deployment: deploymentSection(evidence, deployed),
    promotion: promotionSection(evidence, moved),
    modelVersion: versionSection(evidence, created, deployed),
    run: runSection(evidence),
    data: dataSections(evidence),
    causes: evidence.causes.map(causeSection),
    afterwards: afterwards(evidence),
  };
}

function deployedBy({ endpointEvents, prediction }: Evidence): Told<'RevisionDeployed'> | undefined {
  const { revision } = prediction.payload;
  return told(endpointEvents, 'RevisionDeployed').find(({ data }) => data.revision === revision);
}

function versionOf({ modelEvents, prediction }: Evidence): Told<'ModelVersionCreated'> | undefined {
  const { modelVersion } = prediction.payload;
  return told(modelEvents, 'ModelVersionCreated').find(({ data }) => data.version === modelVersion);
}

/** The move of an alias that brought the revision about; undefined where somebody named the version itself. */
function aliasMoveOf({ modelEvents, endpointEvents, prediction }: Evidence, deployed?: Told<'RevisionDeployed'>) {
  if (!deployed) return undefined;
  const moves = told(modelEvents, 'AliasMoved').filter(
    ({ data }) => data.toVersion === prediction.payload.modelVersion,
  );
  const cause = moves.find(({ id }) => id === deployed.cause);
  if (cause) return cause;
  // Deployed by hand, on what the alias that the endpoint follows named then.
  const [follows] = told(endpointEvents, 'EndpointCreated', 'EndpointRetargeted')
    .filter(({ version }) => version <= deployed.version)
    .reverse();
  return moves.findLast(({ data, time }) => data.alias === follows?.data.follows.alias && time <= deployed.time);
}

function predictionSection({ prediction, seal }: Evidence) {
  const { payload, digest } = prediction;
  const { requestId, clientRequestId, actor, time, endpoint, revision, model, modelVersion, status, shadow } = payload;
  const { durationMs, correlation, inputs, outputs, error, tensors } = payload;
  return {
    ...{
      requestId,
      clientRequestId,
      askedBy: actor,
      at: time,
      endpoint,
      revision,
      model,
      modelVersion,
      status,
      shadow,
    },
    ...{ durationMs, correlation, inputs, outputs, error, tensors },
    digest: digest.toString('hex'),
    seal: sealSection(seal),
  };
}

function sealSection(seal: Evidence['seal']) {
  switch (seal.status) {
    case 'not-sealed-yet':
      return { status: seal.status, event: null };
    case 'broken':
      return { status: seal.status, reason: seal.reason, event: refOf(seal.event) };
    case 'verified': {
      const { status, index, count, root, proof, event } = seal;
      return { status, index, count, root, proof, event: refOf(event) };
    }
  }
}

function deploymentSection({ endpointEvents }: Evidence, deployed?: Told<'RevisionDeployed'>) {
  if (!deployed) return null;
  const { endpoint, revision, reason, servedModel } = deployed.data;
  const follows = told(endpointEvents, 'EndpointCreated', 'EndpointRetargeted').findLast(
    ({ version }) => version <= deployed.version,
  );
  return {
    ...{ endpoint, revision, reason, by: deployed.actor, at: deployed.time },
    model: servedModel.model,
    modelVersion: servedModel.version,
    follows: follows ? { ...follows.data.follows, event: ref(follows) } : null,
    event: ref(deployed),
  };
}

function promotionSection({ modelEvents, prediction }: Evidence, moved?: Told<'AliasMoved'>) {
  if (!moved) return null;
  const { modelVersion } = prediction.payload;
  const promoted = told(modelEvents, 'ModelPromoted').filter(
    ({ data, version }) => data.version === modelVersion && data.alias === moved.data.alias && version <= moved.version,
  );
  // Where it was rolled back to, what counts is the promotion by which it first came there.
  const promotionId = moved.data.promotionId ?? promoted.at(-1)?.data.promotionId ?? null;
  const ofPromotion = <T extends { data: { promotionId: string } }>(events: readonly T[]) =>
    events.filter(({ data }) => data.promotionId === promotionId);
  const [requested] = ofPromotion(told(modelEvents, 'PromotionRequested'));
  const [decided] = ofPromotion(promoted);
  return {
    promotionId,
    alias: moved.data.alias,
    move: {
      ...{ fromVersion: moved.data.fromVersion, toVersion: moved.data.toVersion, reason: moved.data.reason },
      ...{ by: moved.actor, at: moved.time, event: ref(moved) },
    },
    request: requested
      ? { by: requested.actor, at: requested.time, reason: requested.data.reason, event: ref(requested) }
      : null,
    gates: ofPromotion(told(modelEvents, 'GateEvaluated')).map((event) => {
      const { gate, passed, observed, champion, threshold, explanation } = event.data;
      const figures = { observed: figure(observed), champion: figure(champion), threshold };
      return { ...{ metric: gate.metric, passed, explanation }, ...figures, at: event.time, event: ref(event) };
    }),
    approvals: ofPromotion(told(modelEvents, 'PromotionApproved')).map((event) => {
      return { by: event.actor, at: event.time, comment: event.data.comment, event: ref(event) };
    }),
    decision: decided ? { at: decided.time, event: ref(decided) } : null,
  };
}

/** A gate's figure, with the run and the event that recorded it. */
function figure(observation: MetricObservation | null) {
  if (observation === null) return null;
  const { version, value, runId, eventId } = observation;
  return { version, value, runId, eventId };
}

function versionSection(
  { loggedModelEvents, runEvents }: Evidence,
  created?: Told<'ModelVersionCreated'>,
  deployed?: Told<'RevisionDeployed'>,
) {
  if (!created) return null;
  const { model, version, source, runId, loggedModelId, manifestSha256, files } = created.data;
  const served = deployed?.data.servedModel;
  const registered = files.find(({ objectKey }) => objectKey === served?.objectKey);
  const stored = told([...loggedModelEvents, ...runEvents], 'ArtifactStored').find(
    ({ data }) => data.objectKey === served?.objectKey,
  );
  return {
    ...{ model, version, source, runId, loggedModelId, manifestSha256, by: created.actor, at: created.time },
    /** The bytes that answered: whether serving, registry and experiments name the same digest of them. */
    bytes: served && {
      ...{ objectKey: served.objectKey, sha256: served.sha256 },
      sameAsRegistered: registered?.sha256 === served.sha256,
      sameAsStored: stored === undefined ? null : stored.data.sha256 === served.sha256,
      event: stored ? ref(stored) : null,
    },
    event: ref(created),
  };
}

function runSection(evidence: Evidence) {
  const { runEvents, metricEvents } = evidence;
  const [started] = told(runEvents, 'RunStarted');
  if (!started) return null;
  const finished = told(runEvents, 'RunFinished').at(-1);
  const params = told(runEvents, 'ParamsLogged');
  const inputs = told(runEvents, 'InputsLogged');
  const { runId, experimentId, name } = started.data;
  return {
    ...{ runId, experimentId, name, by: started.actor, startedAt: started.time, correlation: started.correlation },
    status: finished?.data.status ?? 'RUNNING',
    finishedAt: finished?.time ?? null,
    params: Object.fromEntries(params.flatMap(({ data }) => data.params.map(({ key, value }) => [key, value]))),
    metrics: latestMetrics(metricEvents, versionOf(evidence)?.data.loggedModelId ?? null),
    datasets: inputs.flatMap((event) =>
      event.data.datasets.map(({ name: dataset, digest, source, tags }) => {
        const context = tags.find(({ key }) => key === 'mlflow.data.context')?.value ?? null;
        return { name: dataset, digest, source, context, event: ref(event) };
      }),
    ),
    event: ref(started),
    events: [...params, ...inputs, ...(finished ? [finished] : [])].map((event) => ref(event)),
  };
}

/** Of each metric its newest point, and the event that recorded it; of the version's own model, where it is named. */
function latestMetrics(newestFirst: readonly LedgerEvent[], loggedModelId: string | null) {
  const latest = new Map<
    string,
    { value: MetricObservation['value']; step: number; timestamp: number; event: EventRef }
  >();
  for (const event of told([...newestFirst].reverse(), 'MetricsLogged')) {
    for (const { key, value, step, timestamp, modelId } of event.data.metrics) {
      if (modelId !== undefined && loggedModelId !== null && modelId !== loggedModelId) continue;
      const known = latest.get(key);
      if (known && (known.timestamp > timestamp || (known.timestamp === timestamp && known.step > step))) continue;
      latest.set(key, { value, step, timestamp, event: ref(event) });
    }
  }
  return Object.fromEntries([...latest].sort(([one], [other]) => (one < other ? -1 : 1)));
}

const COMMITS = ['CommitCreated', 'BranchMerged', 'CommitReverted', 'CommitCherryPicked'] as const;

function dataSections({ dataRead, commitEvents }: Evidence) {
  const commits = told(commitEvents, ...COMMITS);
  return dataRead.map(({ repository, ref: named, commitId, paths }) => {
    const made = commits.find(({ data }) => data.repository === repository && data.commit.id === commitId);
    const commit = made && {
      ...{ by: made.actor, at: made.time, message: made.data.commit.message, parents: made.data.commit.parents },
      ...{ branch: made.data.branch, changes: made.data.changes, metadata: made.data.commit.metadata },
      event: ref(made),
    };
    return { repository, ref: named, commitId, paths: [...paths], commit: commit ?? null };
  });
}

function causeSection(event: LedgerEvent): CauseSection {
  const [known] = told([event], 'DriftDetected', 'PerformanceDegraded', 'RunTriggered', 'StepStarted');
  const section = (what: string, facts: CauseSection['facts'] = {}) => ({ what, facts, event: refOf(event) });
  switch (known?.type) {
    case 'StepStarted':
      return section(`step ${known.data.step} of pipeline ${known.data.pipeline} began`, {
        ...{ pipelineRunId: known.data.pipelineRunId, step: known.data.step, attempt: known.data.attempt },
      });
    case 'RunTriggered': {
      const { pipeline, pipelineRunId, definer, revision, cause } = known.data;
      return section(`a run of pipeline ${pipeline} was triggered`, { pipelineRunId, definer, revision, cause });
    }
    case 'DriftDetected': {
      const { monitor, endpoint, window, driftedShare, features } = known.data;
      const drifted = features.filter((feature) => feature.drifted);
      return section(`monitor ${monitor} found drift on endpoint ${endpoint}`, { window, driftedShare, drifted });
    }
    case 'PerformanceDegraded': {
      const { monitor, endpoint, window, performance, threshold } = known.data;
      return section(`monitor ${monitor} found endpoint ${endpoint} degraded`, { window, performance, threshold });
    }
    case undefined:
      return section(`${event.type} on ${event.stream}`);
  }
}

/** What happened to the answer's model and endpoint since, and what monitors made of the answer itself. */
function afterwards(evidence: Evidence): AfterwardsSection[] {
  const { time, revision, modelVersion: version, endpoint, model } = evidence.prediction.payload;
  const sections: AfterwardsSection[] = [];
  const add = (event: Omit<LedgerEvent, 'data'>, what: string, reason: string | null = null) =>
    sections.push({ what, by: event.actor, reason, event: ref(event) });
  const later = <T extends { time: string }>(events: readonly T[]) => events.filter((event) => event.time > time);
  for (const event of later(evidence.observations)) {
    const [known] = told([event], 'WindowEvaluated', 'DriftDetected', 'PerformanceDegraded', 'RunTriggered');
    if (known) add(event, observed(known));
  }
  for (const event of later(told(evidence.modelEvents, 'PromotionRolledBack', 'AliasMoved', 'AliasRemoved'))) {
    const { alias, fromVersion, reason } = event.data;
    if (event.type === 'PromotionRolledBack') {
      const { toVersion } = event.data;
      if (fromVersion === version || toVersion === version)
        add(event, `${alias} of ${model} was rolled back from version ${fromVersion} to ${toVersion}`, reason);
    } else if (fromVersion === version) {
      const to = event.type === 'AliasMoved' ? `moved on to version ${event.data.toVersion}` : 'was removed';
      add(event, `${alias} of ${model} ${to}`, reason);
    }
  }
  const deployments = told(evidence.endpointEvents, 'RevisionDeployed', 'RevisionRolledBack', 'EndpointDeleted');
  for (const event of later(deployments)) {
    if (event.type === 'EndpointDeleted') add(event, `endpoint ${endpoint} was deleted`);
    else if (event.type === 'RevisionDeployed') {
      const { revision: next, servedModel, reason } = event.data;
      if (next > revision)
        add(event, `revision ${next} of ${endpoint} was deployed, with version ${servedModel.version}`, reason);
    } else if (event.data.fromRevision === revision || event.data.toRevision === revision) {
      const { fromRevision, toRevision, reason } = event.data;
      add(event, `${endpoint} was rolled back from revision ${fromRevision} to ${toRevision}`, reason);
    }
  }
  return sections.sort((one, other) => (one.event.time < other.event.time ? -1 : 1));
}

function observed(event: Told<'WindowEvaluated' | 'DriftDetected' | 'PerformanceDegraded' | 'RunTriggered'>): string {
  switch (event.type) {
    case 'WindowEvaluated':
      return `monitor ${event.data.monitor} evaluated the window with this request: ${event.data.drifted ? 'drifted' : 'no drift'}`;
    case 'DriftDetected':
      return `monitor ${event.data.monitor} found drift in the window with this request`;
    case 'PerformanceDegraded': {
      const { performance, threshold, monitor } = event.data;
      return `monitor ${monitor} found ${performance.metric} ${performance.value} below ${threshold} in the window with this request`;
    }
    case 'RunTriggered':
      return `that started a run of pipeline ${event.data.pipeline}`;
  }
}

function ref(event: Omit<LedgerEvent, 'data'>): EventRef {
  return refOf(event as LedgerEvent);
}
