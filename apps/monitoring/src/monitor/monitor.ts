import type {
  AlertKind,
  EvaluatedWindow,
  FeatureResult,
  MonitorEvent,
  Performance,
  ReferenceProfile,
} from '@mledger/contracts';
import {
  accept,
  canonicalJson,
  refuse,
  unreachable,
  type Decider,
  type Decision,
  type Recorded,
} from '@mledger/event-log';
import { alertMessage, performanceText } from './alert-message';

type Data<T extends MonitorEvent['type']> = Extract<MonitorEvent, { type: T }>['data'];
/** What a monitor watches, against what, how strictly. */
export type MonitorDefinition = Omit<Data<'MonitorDefined'>, 'monitorId' | 'monitor' | 'revision'>;

export interface OpenAlert {
  readonly alertId: string;
  /** Of the window that raised it: only a later one resolves it, however late labels come. */
  readonly windowNumber: number;
}

export interface Monitor {
  readonly exists: boolean;
  readonly monitorId: string;
  readonly monitor: string;
  readonly revision: number;
  /** Null before the first definition. */
  readonly definition: MonitorDefinition | null;
  readonly windows: number;
  readonly openAlerts: Readonly<Partial<Record<AlertKind, OpenAlert>>>;
}

export type MonitorCommand =
  | {
      readonly type: 'DefineMonitor';
      readonly monitorId: string;
      readonly monitor: string;
      readonly definition: MonitorDefinition;
    }
  | {
      readonly type: 'TakeReference';
      readonly revision: number;
      readonly rows: number;
      readonly profile: ReferenceProfile;
    }
  | {
      readonly type: 'RecordWindow';
      readonly window: Omit<EvaluatedWindow, 'number'>;
      readonly features: readonly FeatureResult[];
      readonly meanPrediction: number | null;
      /** Of the alert, should one be raised. */
      readonly alertId: string;
    }
  | {
      readonly type: 'RecordPerformance';
      readonly window: EvaluatedWindow;
      readonly performance: Performance;
      readonly alertId: string;
    }
  /** Labels are no events; that a request has told some is known by its command alone. */
  | { readonly type: 'TakeLabels' }
  | { readonly type: 'DeleteMonitor' };

type CommandOf<T extends MonitorCommand['type']> = Extract<MonitorCommand, { type: T }>;

const initial: Monitor = {
  exists: false,
  monitorId: '',
  monitor: '',
  revision: 0,
  definition: null,
  windows: 0,
  openAlerts: {},
};

export const monitorDecider: Decider<Monitor, MonitorCommand, MonitorEvent> = {
  kind: 'monitor',
  initial,
  decide,
  evolve,
};

function decide(state: Monitor, command: MonitorCommand): Decision<MonitorEvent> {
  if (command.type === 'DefineMonitor') return define(state, command);
  if (!state.exists || state.definition === null) {
    return refuse('not-found', 'MONITOR_NOT_FOUND', 'there is no such monitor');
  }
  const { monitorId, monitor, revision, definition } = state;
  switch (command.type) {
    case 'TakeReference': {
      const { rows, profile } = command;
      if (command.revision !== revision || definition.profile !== null) return accept();
      return accept({ type: 'ReferenceTaken', data: { monitorId, monitor, revision, rows, profile } });
    }
    case 'RecordWindow':
      return recordWindow(state, definition, command);
    case 'RecordPerformance':
      return recordPerformance(state, definition, command);
    case 'TakeLabels':
      return accept();
    case 'DeleteMonitor':
      return accept(...closedAlerts(state, 'the monitor was deleted'), {
        type: 'MonitorDeleted',
        data: { monitorId, monitor },
      });
    default:
      return unreachable(command);
  }
}

function define(state: Monitor, command: CommandOf<'DefineMonitor'>): Decision<MonitorEvent> {
  const { monitorId, monitor, definition } = command;
  if (state.exists && isSame(state.definition, definition)) return accept();
  return accept(...closedAlerts(state, 'the monitor was defined anew'), {
    type: 'MonitorDefined',
    data: { monitorId, monitor, revision: state.revision + 1, ...definition },
  });
}

/**
 * Whether the predictions of closed windows may still be judged after a new definition: which of a model's outputs they are was
 * chosen for the metric.
 */
export function keepsPredictions(
  before: Pick<MonitorDefinition, 'performance'> | null,
  after: Pick<MonitorDefinition, 'performance'>,
): boolean {
  const [one, other] = [before?.performance, after.performance];
  return one?.metric === other?.metric && one?.output === other?.output;
}

/** A definition sent again changes nothing. The digest of the reference's rows stands for the rows. */
function isSame(one: MonitorDefinition | null, other: MonitorDefinition): boolean {
  if (one === null) return false;
  // A reference that has been taken from payloads is what a definition without one led to.
  const profiles = other.reference.from === 'payloads' || one.profile?.sha256 === other.profile?.sha256;
  return profiles && canonicalJson({ ...one, profile: null }) === canonicalJson({ ...other, profile: null });
}

function recordWindow(
  state: Monitor,
  definition: MonitorDefinition,
  command: CommandOf<'RecordWindow'>,
): Decision<MonitorEvent> {
  const { monitorId, monitor, revision } = state;
  const { endpoint, mode } = definition;
  const { meanPrediction, alertId } = command;
  const features = [...command.features];
  const window = { ...command.window, number: state.windows + 1 };
  const drifting = features.filter(({ drifted }) => drifted);
  const driftedShare = features.length === 0 ? 0 : drifting.length / features.length;
  const drifted = drifting.length > 0 && driftedShare >= definition.driftShare;
  const told = { monitorId, monitor, endpoint, window, features, driftedShare };
  const evaluated: MonitorEvent = {
    type: 'WindowEvaluated',
    data: { ...told, revision, mode, drifted, meanPrediction },
  };
  if (!drifted) return accept(evaluated, ...resolved(state, 'drift', window));
  const message = alertMessage(drifting, mode);
  return accept(
    evaluated,
    { type: 'DriftDetected', data: told },
    ...raised(state, { alertId, kind: 'drift', window, message }),
  );
}

function recordPerformance(
  state: Monitor,
  { endpoint, performance: target }: MonitorDefinition,
  { window, performance, alertId }: CommandOf<'RecordPerformance'>,
): Decision<MonitorEvent> {
  if (target === null) return accept();
  const { monitorId, monitor } = state;
  const threshold = target.atLeast;
  const degraded = performance.value !== null && performance.value < threshold;
  const told = { monitorId, monitor, endpoint, window, performance, threshold };
  const evaluated: MonitorEvent = { type: 'PerformanceEvaluated', data: { ...told, degraded } };
  // Labels of one class say nothing about an AUC, neither that it is low nor that it is well again.
  if (performance.value === null) return accept(evaluated);
  if (!degraded) return accept(evaluated, ...resolved(state, 'performance', window));
  const message = performanceText(performance, threshold);
  return accept(
    evaluated,
    { type: 'PerformanceDegraded', data: told },
    ...raised(state, { alertId, kind: 'performance', window, message }),
  );
}

/** One alert of a kind is open at a time: every window tells of itself, the alert that somebody should look. */
function raised(
  { monitorId, monitor, openAlerts }: Monitor,
  { alertId, kind, window, message }: { alertId: string; kind: AlertKind; window: EvaluatedWindow; message: string },
): MonitorEvent[] {
  if (openAlerts[kind]) return [];
  const { windowId, number: windowNumber } = window;
  return [{ type: 'AlertRaised', data: { monitorId, monitor, alertId, kind, windowId, windowNumber, message } }];
}

function resolved(
  { monitorId, monitor, openAlerts }: Monitor,
  kind: AlertKind,
  { windowId, number }: EvaluatedWindow,
): MonitorEvent[] {
  const open = openAlerts[kind];
  if (!open || number <= open.windowNumber) return [];
  const reason = `window ${number} is within its bounds`;
  return [{ type: 'AlertResolved', data: { monitorId, monitor, alertId: open.alertId, kind, windowId, reason } }];
}

function closedAlerts({ monitorId, monitor, openAlerts }: Monitor, reason: string): MonitorEvent[] {
  return (['drift', 'performance'] as const).flatMap((kind) => {
    const open = openAlerts[kind];
    if (!open) return [];
    return [
      { type: 'AlertResolved', data: { monitorId, monitor, alertId: open.alertId, kind, windowId: null, reason } },
    ];
  });
}

function evolve(state: Monitor, event: Recorded<MonitorEvent>): Monitor {
  switch (event.type) {
    case 'MonitorDefined': {
      const { monitorId, monitor, revision, ...definition } = event.data;
      return { ...state, exists: true, monitorId, monitor, revision, definition };
    }
    case 'ReferenceTaken':
      return { ...state, definition: state.definition && { ...state.definition, profile: event.data.profile } };
    case 'WindowEvaluated':
      return { ...state, windows: event.data.window.number };
    case 'AlertRaised': {
      const { kind, alertId, windowNumber } = event.data;
      return { ...state, openAlerts: { ...state.openAlerts, [kind]: { alertId, windowNumber } } };
    }
    case 'AlertResolved': {
      const { [event.data.kind]: _resolved, ...openAlerts } = state.openAlerts;
      return { ...state, openAlerts };
    }
    case 'MonitorDeleted':
      return { ...state, exists: false };
    case 'DriftDetected':
    case 'PerformanceEvaluated':
    case 'PerformanceDegraded':
      return state;
    default:
      return unreachable(event);
  }
}
