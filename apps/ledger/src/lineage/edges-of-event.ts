import type {
  ExperimentsEvent,
  MonitoringEvent,
  PipelinesEvent,
  RegistryEvent,
  ServingEvent,
  VersioningEvent,
} from '@mledger/contracts';
import type { Recorded } from '@mledger/event-log';
import { isEventId } from '../timeline/event-lookup';
import { node, nodeOfPlace, placeOfSource } from './nodes';

/** Something that led to something else; `from` is empty where an event begins `to`. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** What the first is to the second, read forwards: `<from> was read by <to>`. */
  readonly kind: EdgeKind;
}

export type EdgeKind =
  | 'began'
  | 'parent of'
  | 'pointed to by'
  | 'read by'
  | 'logged'
  | 'registered as'
  | 'deployed as'
  | 'revision of'
  | 'answered'
  | 'reference of'
  | 'observed in'
  | 'judged in'
  | 'found by'
  | 'triggered'
  | 'started';

type LineageEvent = Recorded<
  VersioningEvent | ExperimentsEvent | RegistryEvent | ServingEvent | MonitoringEvent | PipelinesEvent
>;

export const LINEAGE_TYPES = [
  ...['CommitCreated', 'BranchMerged', 'CommitReverted', 'CommitCherryPicked', 'BranchCreated', 'BranchReset'],
  ...['TagCreated', 'RunStarted', 'InputsLogged', 'OutputsLogged', 'LoggedModelCreated', 'ModelVersionCreated'],
  ...['RevisionDeployed', 'MonitorDefined', 'WindowEvaluated', 'DriftDetected', 'PerformanceDegraded'],
  ...['PipelineDefined', 'RunTriggered', 'StepStarted'],
] as const satisfies readonly LineageEvent['type'][];

/** The edges that one event draws, each of them by what it says alone. */
export function edgesOfEvent(event: LineageEvent): Edge[] {
  switch (event.type) {
    case 'CommitCreated':
    case 'BranchMerged':
    case 'CommitReverted':
    case 'CommitCherryPicked': {
      const { repository, commit, branch } = event.data;
      const id = node.commit(repository, commit.id);
      return [
        { from: '', to: id, kind: 'began' },
        ...commit.parents.map((parent) => edge(node.commit(repository, parent), 'parent of', id)),
        edge(id, 'pointed to by', node.ref(repository, branch)),
      ];
    }
    case 'BranchCreated': {
      const { repository, branch, commitId } = event.data;
      return commitId === null
        ? []
        : [edge(node.commit(repository, commitId), 'pointed to by', node.ref(repository, branch))];
    }
    case 'BranchReset':
      return [pointed(event.data.repository, event.data.to, event.data.branch)];
    case 'TagCreated':
      return [pointed(event.data.repository, event.data.commitId, event.data.tag)];
    case 'RunStarted':
    case 'InputsLogged':
    case 'OutputsLogged':
    case 'LoggedModelCreated':
      return edgesOfExperiment(event);
    case 'ModelVersionCreated':
      return edgesOfVersion(event.data);
    case 'RevisionDeployed': {
      const { endpoint, revision, servedModel } = event.data;
      const deployed = node.revision(endpoint, revision);
      return [
        edge(node.model(servedModel.model, servedModel.version), 'deployed as', deployed),
        edge(deployed, 'revision of', node.endpoint(endpoint)),
      ];
    }
    case 'MonitorDefined':
    case 'WindowEvaluated':
    case 'DriftDetected':
    case 'PerformanceDegraded':
      return edgesOfMonitor(event);
    case 'PipelineDefined':
    case 'RunTriggered':
    case 'StepStarted':
      return edgesOfPipeline(event);
    default:
      return [];
  }
}

type EventOfType<T extends LineageEvent['type']> = Extract<LineageEvent, { type: T }>;

function edgesOfExperiment(
  event: EventOfType<'RunStarted' | 'InputsLogged' | 'OutputsLogged' | 'LoggedModelCreated'>,
): Edge[] {
  switch (event.type) {
    case 'RunStarted': {
      const run = node.run(event.data.runId);
      // A step of a pipeline: the event that started it is the cause of all that it does.
      const step: Edge[] = isEventId(event.cause) ? [edge(node.event(event.cause), 'started', run)] : [];
      return [{ from: '', to: run, kind: 'began' }, ...step];
    }
    case 'InputsLogged': {
      const run = node.run(event.data.runId);
      const places = event.data.datasets.flatMap(({ source }) => placeOfSource(source) ?? []);
      const data = new Set(places.map(nodeOfPlace));
      const models = event.data.models.map(({ modelId }) => node.loggedModel(modelId));
      return [...data, ...models].map((from) => edge(from, 'read by', run));
    }
    case 'OutputsLogged': {
      const { runId, models } = event.data;
      return models.map(({ modelId }) => edge(node.run(runId), 'logged', node.loggedModel(modelId)));
    }
    case 'LoggedModelCreated': {
      const { modelId, sourceRunId } = event.data;
      const model = node.loggedModel(modelId);
      const run = sourceRunId === undefined ? [] : [edge(node.run(sourceRunId), 'logged', model)];
      return [{ from: '', to: model, kind: 'began' }, ...run];
    }
  }
}

function edgesOfVersion({ model, version, runId, loggedModelId }: EventOfType<'ModelVersionCreated'>['data']): Edge[] {
  const registered = node.model(model, version);
  const run = runId === null ? [] : [edge(node.run(runId), 'registered as', registered)];
  const logged = loggedModelId === null ? [] : [edge(node.loggedModel(loggedModelId), 'registered as', registered)];
  return [{ from: '', to: registered, kind: 'began' }, ...run, ...logged];
}

function edgesOfMonitor(
  event: EventOfType<'MonitorDefined' | 'WindowEvaluated' | 'DriftDetected' | 'PerformanceDegraded'>,
): Edge[] {
  const monitor = node.monitor(event.data.monitor);
  if (event.type === 'MonitorDefined') {
    const { reference, endpoint } = event.data;
    const watched = edge(node.endpoint(endpoint), 'observed in', monitor);
    // One that takes its first predictions for a reference rests on no data of ours.
    if (reference.from !== 'commit') return [watched];
    const place = { repository: reference.repository, ref: reference.commit, path: '' };
    return [edge(nodeOfPlace(place), 'reference of', monitor), watched];
  }
  const window = node.window(event.data.monitor, event.data.window.windowId);
  const endpoint = node.endpoint(event.data.endpoint);
  if (event.type === 'WindowEvaluated')
    return [edge(endpoint, 'observed in', window), edge(monitor, 'observed in', window)];
  const finding = node.event(event.id);
  if (event.type === 'DriftDetected') return [edge(window, 'found by', finding)];
  return [edge(endpoint, 'judged in', window), edge(window, 'found by', finding)];
}

function edgesOfPipeline(event: EventOfType<'PipelineDefined' | 'RunTriggered' | 'StepStarted'>): Edge[] {
  if (event.type === 'PipelineDefined') return [{ from: '', to: node.pipeline(event.data.pipeline), kind: 'began' }];
  const run = node.pipelineRun(event.data.pipelineRunId);
  if (event.type === 'StepStarted') return [edge(run, 'started', node.event(event.id))];
  const { cause, pipeline } = event.data;
  const trigger = cause.kind === 'event' ? [edge(node.event(cause.eventId), 'triggered', run)] : [];
  return [edge(node.pipeline(pipeline), 'started', run), ...trigger];
}

function pointed(repository: string, commitId: string, ref: string): Edge {
  return edge(node.commit(repository, commitId), 'pointed to by', node.ref(repository, ref));
}

function edge(from: string, kind: EdgeKind, to: string): Edge {
  return { from, to, kind };
}
