import { Injectable } from '@nestjs/common';
import { stream } from '@mledger/event-log';
import { LineageQueries } from '../lineage/lineage-queries';
import { isCommitId, node, placeOfSource, type DataSourcePlace } from '../lineage/nodes';
import type { IndexedPrediction } from '../predictions/prediction-index';
import { SealProof } from '../predictions/seal-proof';
import { EventLookup, isEventId } from '../timeline/event-lookup';
import type { Horizon, LedgerEvent } from '../timeline/ledger-event';
import type { DataRead, Evidence } from './evidence';
import { told } from './told';

/** Batches of metrics that are read for a run's latest figures; each holds up to a thousand points. */
const METRIC_EVENTS_MAX = 100;
const CAUSES_MAX = 20;
/** Windows that may lie between a prediction and the one that it is in. */
const WINDOWS_MAX = 50;
const JUDGEMENTS_MAX = 200;

const RUN_TYPES = ['RunStarted', 'ParamsLogged', 'InputsLogged', 'OutputsLogged', 'RunFinished', 'ArtifactStored'];
const BRANCH_MOVES = [
  ...['BranchCreated', 'CommitCreated', 'BranchMerged', 'CommitReverted', 'CommitCherryPicked', 'BranchReset'],
  'BranchDeleted',
] as const;
const TAG_MOVES = ['TagCreated', 'TagDeleted'] as const;

/** Collects what the ledger holds about a prediction, from stream to stream, as each names the next. */
@Injectable()
export class GatherEvidence {
  constructor(
    private readonly events: EventLookup,
    private readonly lineage: LineageQueries,
    private readonly seals: SealProof,
  ) {}

  async gather(tenant: string, prediction: IndexedPrediction, horizon: Horizon): Promise<Evidence> {
    const { endpointId, modelId, modelVersion } = prediction.payload;
    const [seal, endpointEvents, modelEvents, observations] = await Promise.all([
      this.seals.find(tenant, prediction, horizon),
      this.events.ofStream(tenant, stream(tenant, 'endpoint', endpointId), horizon),
      this.events.ofStream(tenant, stream(tenant, 'model', modelId), horizon),
      this.observations(tenant, prediction, horizon),
    ]);
    const created = told(modelEvents, 'ModelVersionCreated').find(({ data }) => data.version === modelVersion);
    const runId = created?.data.runId ?? null;
    const loggedModelId = created?.data.loggedModelId ?? null;
    const [runEvents, metricEvents, loggedModelEvents] = await Promise.all([
      runId === null ? [] : this.events.ofStream(tenant, stream(tenant, 'run', runId), horizon, RUN_TYPES),
      runId === null
        ? []
        : this.events.newestOfStream(tenant, stream(tenant, 'run', runId), horizon, {
            types: ['MetricsLogged'],
            limit: METRIC_EVENTS_MAX,
          }),
      loggedModelId === null
        ? []
        : this.events.ofStream(tenant, stream(tenant, 'logged-model', loggedModelId), horizon, [
            ...['LoggedModelCreated', 'LoggedModelReady', 'ArtifactStored'],
          ]),
    ]);
    const dataRead = await this.dataRead(tenant, runEvents);
    const first = runEvents[0] ?? (created as LedgerEvent | undefined);
    const [commitEvents, causes] = await Promise.all([
      this.commits(tenant, dataRead, horizon),
      first === undefined ? [] : this.causes(tenant, first, horizon),
    ]);
    return {
      ...{ prediction, seal, endpointEvents, modelEvents, runEvents, metricEvents, loggedModelEvents },
      ...{ dataRead, commitEvents, causes, observations },
    };
  }

  /** What monitors said of the windows that the prediction is in. */
  private async observations(
    tenant: string,
    { requestId, payload }: IndexedPrediction,
    horizon: Horizon,
  ): Promise<LedgerEvent[]> {
    const out = { node: node.endpoint(payload.endpoint), since: payload.time };
    const [observed, judged] = await Promise.all([
      this.lineage.eventsOutOf(tenant, { ...out, kinds: ['observed in'], limit: WINDOWS_MAX }),
      this.lineage.eventsOutOf(tenant, { ...out, kinds: ['judged in'], limit: JUDGEMENTS_MAX }),
    ]);
    const known = await this.events.byIds(tenant, [...observed, ...judged], horizon);
    const about = told(known, 'WindowEvaluated', 'PerformanceDegraded').filter(({ data }) => {
      return data.window.from <= requestId && requestId <= data.window.to;
    });
    const windows = about.map(({ data }) => node.window(data.monitor, data.window.windowId));
    const findings = await this.lineage.outOf(tenant, [...new Set(windows)], horizon, JUDGEMENTS_MAX);
    const runs = await this.lineage.outOf(tenant, [...new Set(findings.map(({ to }) => to))], horizon, JUDGEMENTS_MAX);
    const ids = [...about.map(({ id }) => id), ...[...findings, ...runs].flatMap(({ event }) => event?.id ?? [])];
    return this.events.byIds(tenant, [...new Set(ids)], horizon);
  }

  private async dataRead(tenant: string, runEvents: readonly LedgerEvent[]): Promise<DataRead[]> {
    const reads = new Map<string, DataRead & { paths: string[] }>();
    for (const { time, data } of told(runEvents, 'InputsLogged')) {
      for (const place of data.datasets.flatMap(({ source }) => placeOfSource(source) ?? [])) {
        const commitId = await this.commitOf(tenant, place, time);
        const key = JSON.stringify([place.repository, place.ref, commitId]);
        const read = reads.get(key) ?? { repository: place.repository, ref: place.ref, commitId, paths: [] };
        if (!read.paths.includes(place.path)) read.paths.push(place.path);
        reads.set(key, read);
      }
    }
    return [...reads.values()];
  }

  /** The commit that a place was read at: as it is named, or where its branch or tag stood at that time. */
  private async commitOf(tenant: string, { repository, ref }: DataSourcePlace, time: string): Promise<string | null> {
    if (isCommitId(ref)) return ref;
    const at = { time, position: null };
    const newest = (name: string, types: readonly string[]) =>
      this.events.newestOfStream(tenant, name, at, { types, limit: 1 });
    const [claimed] = await newest(stream(tenant, 'repository-name', repository), ['NameClaimed']);
    if (!claimed) return null;
    const { repositoryId } = claimed.data as { repositoryId: string };
    const branch = told(
      await newest(stream(tenant, 'branch', `${repositoryId}/${ref}`), BRANCH_MOVES),
      ...BRANCH_MOVES,
    );
    const tag = told(await newest(stream(tenant, 'tag', `${repositoryId}/${ref}`), TAG_MOVES), ...TAG_MOVES);
    const [moved] = [...tag, ...branch];
    if (!moved) return null;
    switch (moved.type) {
      case 'BranchDeleted':
      case 'TagDeleted':
        return null;
      case 'BranchReset':
        return moved.data.to;
      case 'BranchCreated':
      case 'TagCreated':
        return moved.data.commitId;
      default:
        return moved.data.commit.id;
    }
  }

  private async commits(tenant: string, dataRead: readonly DataRead[], horizon: Horizon): Promise<LedgerEvent[]> {
    const nodes = dataRead.flatMap(({ repository, commitId }) =>
      commitId === null ? [] : [node.commit(repository, commitId)],
    );
    const began = await this.lineage.beginnings(tenant, [...new Set(nodes)], horizon);
    return this.events.byIds(tenant, began.flatMap(({ event }) => event?.id ?? []), horizon); // prettier-ignore
  }

  /** From an event back along its causes, until one is a request from outside. */
  private async causes(tenant: string, last: LedgerEvent, horizon: Horizon): Promise<LedgerEvent[]> {
    const chain: LedgerEvent[] = [];
    for (let current: LedgerEvent | undefined = last; current && chain.length < CAUSES_MAX;) {
      const cause = await this.causeOf(tenant, current, horizon);
      if (cause === undefined || chain.some(({ id }) => id === cause.id)) break;
      chain.push(cause);
      current = cause;
    }
    return chain;
  }

  private async causeOf(tenant: string, event: LedgerEvent, horizon: Horizon): Promise<LedgerEvent | undefined> {
    const [triggered] = told([event], 'RunTriggered');
    const why = triggered?.data.cause;
    const causeId = why?.kind === 'event' ? why.eventId : event.cause;
    if (isEventId(causeId) && causeId !== event.id) {
      const [cause] = await this.events.byIds(tenant, [causeId], horizon);
      if (cause) return cause;
    }
    if (event.service !== 'pipelines' || triggered) return undefined;
    // A step goes back to the run that it is a step of.
    const [begun] = await this.events.ofStream(tenant, event.stream, horizon, ['RunTriggered']);
    return begun;
  }
}
