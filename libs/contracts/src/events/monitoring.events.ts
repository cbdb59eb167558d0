import { z } from 'zod';
import { defineEvent, type EventDefinition, type EventOf } from '../event-definition';

const monitor = { monitorId: z.string(), monitor: z.string() };

const driftMethod = z.enum(['psi', 'js', 'wasserstein', 'ks', 'chi2']);
export type DriftMethod = z.output<typeof driftMethod>;

/** Where the reference distribution comes from: rows of a committed file, so that it can be read again for ever. */
const reference = z.object({
  repository: z.string(),
  commit: z.string(),
  paths: z.array(z.string()),
  rows: z.number().int().nonnegative(),
});

const featureResult = z.object({
  feature: z.string(),
  kind: z.enum(['numeric', 'categorical']),
  method: driftMethod,
  statistic: z.number(),
  threshold: z.number(),
  drifted: z.boolean(),
  bins: z.number().int().positive(),
  rowsReference: z.number().int().nonnegative(),
  rowsCurrent: z.number().int().nonnegative(),
  meanReference: z.number().nullable(),
  meanCurrent: z.number().nullable(),
});
export type FeatureResult = z.output<typeof featureResult>;

const performance = z.object({
  metric: z.enum(['auc', 'accuracy']),
  value: z.number(),
  labelled: z.number().int().nonnegative(),
});

const window = z.object({
  windowId: z.string(),
  /** Request ids (UUIDv7) of the first and the last prediction in it. */
  from: z.string(),
  to: z.string(),
  rows: z.number().int().positive(),
  fromTime: z.string(),
  toTime: z.string(),
});

const MONITOR = { monitorId: '0199f1c2-0000-7000-8000-0000000000f1', monitor: 'delay' };
const WINDOW = {
  windowId: '0199f1c2-0000-7000-8000-0000000000f2',
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
      reference,
      /** The reference's own sketches lie here; their digest makes a change of them visible. */
      profile: z.object({ objectKey: z.string(), sha256: z.string() }),
      features: z.array(
        z.object({
          feature: z.string(),
          kind: z.enum(['numeric', 'categorical']),
          method: driftMethod,
          threshold: z.number(),
        }),
      ),
      /** The window drifts when at least this share of its features does. */
      driftShare: z.number().min(0).max(1),
    }),
    {
      ...MONITOR,
      revision: 1,
      endpoint: 'delay',
      windowRows: 1000,
      reference: { repository: 'flights', commit: 'c0ffee', paths: ['flights/2013-01.parquet'], rows: 5000 },
      profile: { objectKey: 'default/monitoring/0199/ab/0199', sha256: 'b1946ac9' },
      features: [{ feature: 'temp', kind: 'numeric', method: 'psi', threshold: 0.2 }],
      driftShare: 0.2,
    },
  ),
  monitoringEvent('MonitorDeleted', 'A monitor is gone; its windows stay on record.', z.object(monitor), MONITOR),
  monitoringEvent(
    'WindowEvaluated',
    'A window closed, with the figures of each feature.',
    z.object({
      ...monitor,
      endpoint: z.string(),
      window,
      features: z.array(featureResult),
      driftedShare: z.number(),
      drifted: z.boolean(),
      meanPrediction: z.number().nullable(),
    }),
    {
      ...MONITOR,
      endpoint: 'delay',
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
      kind: z.enum(['drift', 'performance']),
      windowId: z.string(),
      message: z.string(),
    }),
    {
      ...MONITOR,
      alertId: '0199f1c2-0000-7000-8000-0000000000f3',
      kind: 'drift',
      windowId: WINDOW.windowId,
      message: 'temp drifted: PSI 2.31 above 0.2',
    },
  ),
  monitoringEvent(
    'AlertResolved',
    'A later window is within its bounds again.',
    z.object({ ...monitor, alertId: z.string(), windowId: z.string() }),
    { ...MONITOR, alertId: '0199f1c2-0000-7000-8000-0000000000f3', windowId: WINDOW.windowId },
  ),
] as const;

export const monitoringEvents = [...nameEvents, ...monitorEvents] as const satisfies readonly EventDefinition[];

export type MonitoringEvent = EventOf<(typeof monitoringEvents)[number]>;
/** What stands on `<tenant>/monitor-name:<name>`. */
export type MonitorNameEvent = EventOf<(typeof nameEvents)[number]>;
/** What stands on a monitor's own stream, `<tenant>/monitor:<id>`. */
export type MonitorEvent = EventOf<(typeof monitorEvents)[number]>;
