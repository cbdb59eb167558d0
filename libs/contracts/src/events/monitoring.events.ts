import { z } from 'zod';
import { defineEvent, type EventDefinition, type EventOf } from '../event-definition';

const monitor = { monitorId: z.string(), monitor: z.string() };

const driftMethod = z.enum(['psi', 'js', 'wasserstein', 'ks', 'chi2']);
export type DriftMethod = z.output<typeof driftMethod>;

/** `sound` controls false alarms over many features; `evidently` gives the numbers that Evidently 0.7 gives. */
const driftMode = z.enum(['sound', 'evidently']);
export type DriftMode = z.output<typeof driftMode>;

const featureKind = z.enum(['numeric', 'categorical']);
export type FeatureKind = z.output<typeof featureKind>;

/**
 * Where the reference distribution comes from: rows of committed files, so that they can be read again for ever, or the
 * first rows that the endpoint served after the definition.
 */
const reference = z.discriminatedUnion('from', [
  z.object({
    from: z.literal('commit'),
    repository: z.string(),
    commit: z.string(),
    paths: z.array(z.string()),
    rows: z.number().int().positive(),
  }),
  z.object({ from: z.literal('payloads'), rows: z.number().int().positive() }),
]);
export type MonitorReference = z.output<typeof reference>;

/** The reference's rows as they are compared with, and the digest that makes a change of them visible. */
const profile = z.object({ objectKey: z.string(), sha256: z.string() });
export type ReferenceProfile = z.output<typeof profile>;

const monitoredFeature = z.object({
  feature: z.string(),
  kind: featureKind,
  method: driftMethod,
  /** Of the p-value for ks and chi2, of the distance otherwise. */
  threshold: z.number(),
  /** Equal-width bins asked for; null: numpy's Sturges rule, or one a value where there are few. */
  bins: z.number().int().positive().nullable(),
});
export type MonitoredFeature = z.output<typeof monitoredFeature>;

const featureResult = z.object({
  feature: z.string(),
  kind: featureKind,
  method: driftMethod,
  /** D of ks, χ² of chi2, else the distance; null where one side has no values. */
  statistic: z.number().nullable(),
  /** Of ks and chi2. */
  pValue: z.number().nullable(),
  /** After Benjamini and Hochberg over the window's tests, in sound mode: what the threshold is held against. */
  adjustedPValue: z.number().nullable(),
  threshold: z.number(),
  drifted: z.boolean(),
  /** Null where the method has none. */
  bins: z.number().int().positive().nullable(),
  /** Values compared, without missing and non-finite ones. */
  rowsReference: z.number().int().nonnegative(),
  rowsCurrent: z.number().int().nonnegative(),
  meanReference: z.number().nullable(),
  meanCurrent: z.number().nullable(),
});
export type FeatureResult = z.output<typeof featureResult>;

const performanceMetric = z.enum(['auc', 'accuracy']);
export type PerformanceMetric = z.output<typeof performanceMetric>;

const performanceTarget = z.object({
  metric: performanceMetric,
  /** The output that is judged; null: the first that fits the metric. */
  output: z.string().nullable(),
  atLeast: z.number(),
  /** A window is judged as soon as this share of its rows has labels. */
  labelledShare: z.number(),
});
export type PerformanceTarget = z.output<typeof performanceTarget>;

const performance = z.object({
  metric: performanceMetric,
  /** Null where the labels are all of one class, for which there is no AUC. */
  value: z.number().nullable(),
  labelled: z.number().int().nonnegative(),
});
export type Performance = z.output<typeof performance>;

const window = z.object({
  windowId: z.string(),
  /** 1, 2, 3 … in its monitor. */
  number: z.number().int().positive(),
  /** Request ids (UUIDv7) of the first and the last prediction in it. */
  from: z.string(),
  to: z.string(),
  rows: z.number().int().positive(),
  fromTime: z.string(),
  toTime: z.string(),
});
export type EvaluatedWindow = z.output<typeof window>;

const alertKind = z.enum(['drift', 'performance']);
export type AlertKind = z.output<typeof alertKind>;

const MONITOR = { monitorId: '0199f1c2-0000-7000-8000-0000000000f1', monitor: 'delay' };
const WINDOW = {
  windowId: '0199f1c2-0000-7000-8000-0000000000f2',
  number: 1,
  from: '0199f1c2-0000-7000-8000-000000000101',
  to: '0199f1c2-0000-7000-8000-0000000004e8',
  rows: 1000,
  fromTime: '2013-06-01T00:00:00.000Z',
  toTime: '2013-06-01T01:00:00.000Z',
};
const FEATURE = {
  feature: 'temp',
  kind: 'numeric' as const,
  method: 'psi' as const,
  statistic: 2.31,
  pValue: null,
  adjustedPValue: null,
  threshold: 0.2,
  drifted: true,
  bins: 10,
  rowsReference: 5000,
  rowsCurrent: 1000,
  meanReference: 36.1,
  meanCurrent: 72.4,
};

function monitoringEvent<const T extends string, D extends z.ZodObject>(
  type: T,
  summary: string,
  data: D,
  example: z.input<D>,
): EventDefinition<T, D> {
  return defineEvent({ service: 'monitoring', type, schema: 1, summary, data, example });
}

const nameEvents = [
  monitoringEvent('NameClaimed', 'On a name’s own stream: the name means this monitor.', z.object(monitor), MONITOR),
  monitoringEvent('NameReleased', 'On a name’s own stream: the name is free again.', z.object(monitor), MONITOR),
] as const;

const monitorEvents = [
  monitoringEvent(
    'MonitorDefined',
    'A monitor exists, or was defined anew: what it watches, against which reference, with which thresholds.',
    z.object({
      ...monitor,
      revision: z.number().int().positive(),
      endpoint: z.string(),
      windowRows: z.number().int().positive(),
      mode: driftMode,
      reference,
      /** Null until the reference was taken from payloads. */
      profile: profile.nullable(),
      features: z.array(monitoredFeature),
      /** The window drifts when at least this share of its features does. */
      driftShare: z.number().min(0).max(1),
      performance: performanceTarget.nullable(),
    }),
    {
      ...MONITOR,
      revision: 1,
      endpoint: 'delay',
      windowRows: 1000,
      mode: 'sound',
      reference: {
        from: 'commit',
        repository: 'flights',
        commit: 'c0ffee',
        paths: ['flights/2013-01.parquet'],
        rows: 5000,
      },
      profile: { objectKey: 'default/monitoring/0199/ab/0199', sha256: 'b1946ac9' },
      features: [{ feature: 'temp', kind: 'numeric', method: 'psi', threshold: 0.2, bins: null }],
      driftShare: 0.2,
      performance: { metric: 'auc', output: null, atLeast: 0.65, labelledShare: 0.9 },
    },
  ),
  monitoringEvent(
    'ReferenceTaken',
    'The first rows served are the reference of this monitor from here on.',
    z.object({ ...monitor, revision: z.number().int().positive(), rows: z.number().int().positive(), profile }),
    {
      ...MONITOR,
      revision: 1,
      rows: 5000,
      profile: { objectKey: 'default/monitoring/0199/ab/0199', sha256: 'b1946ac9' },
    },
  ),
  monitoringEvent('MonitorDeleted', 'A monitor is gone; its windows stay on record.', z.object(monitor), MONITOR),
  monitoringEvent(
    'WindowEvaluated',
    'A window closed, with the figures of each feature.',
    z.object({
      ...monitor,
      endpoint: z.string(),
      /** Of the definition that it was judged by. */
      revision: z.number().int().positive(),
      mode: driftMode,
      window,
      features: z.array(featureResult),
      driftedShare: z.number(),
      drifted: z.boolean(),
      meanPrediction: z.number().nullable(),
    }),
    {
      ...MONITOR,
      endpoint: 'delay',
      revision: 1,
      mode: 'sound',
      window: WINDOW,
      features: [FEATURE],
      driftedShare: 1,
      drifted: true,
      meanPrediction: 0.31,
    },
  ),
  monitoringEvent(
    'DriftDetected',
    'A window differs from the reference; pipelines may react.',
    z.object({
      ...monitor,
      endpoint: z.string(),
      window,
      features: z.array(featureResult),
      driftedShare: z.number(),
    }),
    { ...MONITOR, endpoint: 'delay', window: WINDOW, features: [FEATURE], driftedShare: 1 },
  ),
  monitoringEvent(
    'PerformanceEvaluated',
    'Enough of a window’s labels are there: how good its predictions were.',
    z.object({ ...monitor, endpoint: z.string(), window, performance, threshold: z.number(), degraded: z.boolean() }),
    {
      ...MONITOR,
      endpoint: 'delay',
      window: WINDOW,
      performance: { metric: 'auc', value: 0.58, labelled: 1000 },
      threshold: 0.65,
      degraded: true,
    },
  ),
  monitoringEvent(
    'PerformanceDegraded',
    'Late labels say that the model has become worse than the threshold.',
    z.object({ ...monitor, endpoint: z.string(), window, performance, threshold: z.number() }),
    {
      ...MONITOR,
      endpoint: 'delay',
      window: WINDOW,
      performance: { metric: 'auc', value: 0.58, labelled: 1000 },
      threshold: 0.65,
    },
  ),
  monitoringEvent(
    'AlertRaised',
    'Somebody should look: drift or performance left its bounds.',
    z.object({
      ...monitor,
      alertId: z.string(),
      kind: alertKind,
      windowId: z.string(),
      windowNumber: z.number().int().positive(),
      message: z.string(),
    }),
    {
      ...MONITOR,
      alertId: '0199f1c2-0000-7000-8000-0000000000f3',
      kind: 'drift',
      windowId: WINDOW.windowId,
      windowNumber: 1,
      message: 'temp drifted: PSI 2.31 above 0.2',
    },
  ),
  monitoringEvent(
    'AlertResolved',
    'A later window is within its bounds again, or the monitor that raised it is no more what it was.',
    z.object({
      ...monitor,
      alertId: z.string(),
      kind: alertKind,
      /** The window that is fine; null where the monitor was defined anew or deleted. */
      windowId: z.string().nullable(),
      reason: z.string(),
    }),
    {
      ...MONITOR,
      alertId: '0199f1c2-0000-7000-8000-0000000000f3',
      kind: 'drift',
      windowId: WINDOW.windowId,
      reason: 'window 2 is within its bounds',
    },
  ),
] as const;

export const monitoringEvents = [...nameEvents, ...monitorEvents] as const satisfies readonly EventDefinition[];

export type MonitoringEvent = EventOf<(typeof monitoringEvents)[number]>;
/** What stands on `<tenant>/monitor-name:<name>`. */
export type MonitorNameEvent = EventOf<(typeof nameEvents)[number]>;
/** What stands on a monitor's own stream, `<tenant>/monitor:<id>`. */
export type MonitorEvent = EventOf<(typeof monitorEvents)[number]>;
