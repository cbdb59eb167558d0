import type { FeatureResult, MonitorEvent } from '@mledger/contracts';
import type { Recorded } from '@mledger/event-log';
import { monitorDecider, type Monitor, type MonitorCommand, type MonitorDefinition } from './monitor';

const DEFINITION: MonitorDefinition = {
  endpoint: 'delay',
  windowRows: 100,
  mode: 'sound',
  reference: { from: 'commit', repository: 'r', commit: 'c', paths: ['p'], rows: 10 },
  profile: { objectKey: 'k', sha256: 's' },
  features: [],
  driftShare: 0.5,
  performance: { metric: 'auc', output: null, atLeast: 0.65, labelledShare: 0.9 },
};

const feature = (name: string, drifted: boolean): FeatureResult => ({
  feature: name,
  kind: 'numeric',
  method: 'ks',
  statistic: 0.25,
  pValue: 0.001,
  adjustedPValue: 0.002,
  threshold: 0.05,
  drifted,
  bins: null,
  rowsReference: 10,
  rowsCurrent: 10,
  meanReference: 1,
  meanCurrent: 2.00001,
});
const window = (windowId: string) => ({ windowId, from: 'a', to: 'b', rows: 100, fromTime: 't', toTime: 'u' });

const define = (change: Partial<MonitorDefinition> = {}): MonitorCommand => ({
  type: 'DefineMonitor',
  monitorId: 'm',
  monitor: 'delay',
  definition: { ...DEFINITION, ...change },
});
const record = (windowId: string, ...drifted: boolean[]): MonitorCommand => ({
  type: 'RecordWindow',
  window: window(windowId),
  features: drifted.map((each, index) => feature(`f${index}`, each)),
  meanPrediction: null,
  alertId: `alert-${windowId}`,
});
const perform = (number: number, value: number | null): MonitorCommand => ({
  type: 'RecordPerformance',
  window: { ...window(`w${number}`), number },
  performance: { metric: 'auc', value, labelled: 100 },
  alertId: `alert-w${number}`,
});

function run(...commands: MonitorCommand[]): { state: Monitor; last: readonly MonitorEvent[] } {
  let state = monitorDecider.initial;
  let last: readonly MonitorEvent[] = [];
  for (const command of commands) {
    const decision = monitorDecider.decide(state, command);
    if ('refusal' in decision) throw new Error(decision.refusal.code);
    last = decision.events;
    for (const event of last) state = monitorDecider.evolve(state, event as Recorded<MonitorEvent>);
  }
  return { state, last };
}
const typesOf = (...commands: MonitorCommand[]) => run(...commands).last.map(({ type }) => type);

describe('a monitor', () => {
  it('is defined anew only by something new', () => {
    expect(run(define(), define()).last).toEqual([]);
    expect(run(define(), define({ windowRows: 50 })).state).toMatchObject({
      revision: 2,
      definition: { windowRows: 50 },
    });
    expect(typesOf(define(), define({ profile: { objectKey: 'k2', sha256: 'other' } }))).toEqual(['MonitorDefined']);
  });

  it('keeps a reference that was taken from payloads when the same definition comes again', () => {
    const served = define({ reference: { from: 'payloads', rows: 10 }, profile: null });
    const taken: MonitorCommand = { type: 'TakeReference', revision: 1, rows: 10, profile: DEFINITION.profile! };
    expect(run(served, taken, served)).toMatchObject({ last: [], state: { definition: { profile: { sha256: 's' } } } });
    expect(run(served, taken, taken).last).toEqual([]);
    expect(run(served, { ...taken, revision: 7 }).last).toEqual([]);
  });

  it('drifts when the share of features does', () => {
    expect(typesOf(define(), record('w1', true, false, false))).toEqual(['WindowEvaluated']);
    expect(typesOf(define(), record('w1', true, false))).toEqual(['WindowEvaluated', 'DriftDetected', 'AlertRaised']);
    expect(typesOf(define({ driftShare: 0 }), record('w1', false, false))).toEqual(['WindowEvaluated']);
  });

  it('raises one alert until it is resolved', () => {
    const drifted = record('w', true);
    expect(typesOf(define(), drifted, drifted)).toEqual(['WindowEvaluated', 'DriftDetected']);
    expect(run(define(), drifted, drifted, record('w3', false)).last[1]).toMatchObject({
      type: 'AlertResolved',
      data: { alertId: 'alert-w', kind: 'drift', windowId: 'w3', reason: 'window 3 is within its bounds' },
    });
    expect(typesOf(define(), drifted, record('w2', false), drifted)).toContain('AlertRaised');
  });

  it('says what drifted, and by how much', () => {
    const { last } = run(define(), record('w1', ...Array<boolean>(7).fill(true)));
    expect(last.at(-1)!.data).toMatchObject({
      message: expect.stringMatching(/^f0 drifted: ks p 0.002, threshold 0.05, mean 1 → 2; .*; and 2 more$/),
    });
  });

  it('is not well again by labels of a window before the one that raised the alert', () => {
    const low = perform(2, 0.6);
    expect(typesOf(define(), low)).toEqual(['PerformanceEvaluated', 'PerformanceDegraded', 'AlertRaised']);
    expect(typesOf(define(), low, perform(1, 0.9))).toEqual(['PerformanceEvaluated']);
    expect(typesOf(define(), low, perform(3, null))).toEqual(['PerformanceEvaluated']);
    expect(typesOf(define(), low, perform(3, 0.65))).toEqual(['PerformanceEvaluated', 'AlertResolved']);
  });

  it('leaves no alert open when it is defined anew or deleted', () => {
    const commands = [define(), record('w1', true), perform(1, 0.1)];
    const both = ['AlertResolved', 'AlertResolved'];
    expect(typesOf(...commands, define({ windowRows: 7 }))).toEqual([...both, 'MonitorDefined']);
    expect(typesOf(...commands, { type: 'DeleteMonitor' })).toEqual([...both, 'MonitorDeleted']);
    expect(run(...commands, { type: 'DeleteMonitor' }).state.openAlerts).toEqual({});
  });

  it('that does not exist records nothing', () => {
    expect(() => run(record('w1', true))).toThrow('MONITOR_NOT_FOUND');
    expect(() => run(define(), { type: 'DeleteMonitor' }, record('w1', true))).toThrow('MONITOR_NOT_FOUND');
  });
});
