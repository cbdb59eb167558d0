import fc from 'fast-check';
import type { MetricPoint } from '@mledger/contracts';
import type { Recorded } from '@mledger/event-log';
import { RUN_NAME_TAG, runDecider, type RunCommand, type RunEvent, type RunState } from './run';

const runId = '0197a2c4e1b87f3a9c5d6e7f80912a3b';
const started: RunEvent = {
  type: 'RunStarted',
  data: {
    runId,
    experimentId: '0',
    name: 'calm-heron',
    userId: 'jo',
    startTime: 1000,
    artifactUri: `mlflow-artifacts:/0/${runId}/artifacts`,
    tags: [{ key: RUN_NAME_TAG, value: 'calm-heron' }],
  },
};
const point = (key: string, value: MetricPoint['value'] = 1): MetricPoint => ({ key, value, timestamp: 5, step: 0 });
const pairs = (...list: [string, string][]) => list.map(([key, value]) => ({ key, value }));
const dataset = (name: string, digest = 'd1') => ({ name, digest, sourceType: 's3', source: '{}', tags: [] });

const evolve = (state: RunState, event: RunEvent) => runDecider.evolve(state, event as Recorded<RunEvent>);
const given = (...events: RunEvent[]): RunState => events.reduce(evolve, runDecider.initial);
const then = (state: RunState, command: RunCommand): { events: readonly RunEvent[]; state: RunState } => {
  const decision = runDecider.decide(state, command);
  if ('refusal' in decision) throw new Error(`refused: ${decision.refusal.code}`);
  return { events: decision.events, state: decision.events.reduce(evolve, state) };
};
const batch = (part: Partial<Extract<RunCommand, { type: 'LogBatch' }>>): RunCommand => ({
  type: 'LogBatch',
  runId,
  params: [],
  metrics: [],
  tags: [],
  ...part,
});

describe('a run', () => {
  it('starts once', () => {
    const command: RunCommand = { type: 'StartRun', ...started.data } as RunCommand;
    expect(then(given(), command).events).toEqual([started]);
    expect(runDecider.decide(given(started), command)).toMatchObject({ refusal: { kind: 'exists' } });
  });

  it('does not exist before it started', () => {
    expect(runDecider.decide(given(), batch({ metrics: [point('auc')] }))).toMatchObject({
      refusal: { kind: 'not-found' },
    });
    expect(() => given({ type: 'RunDeleted', data: { runId } })).toThrow('begins with RunDeleted');
  });

  it('logs a batch as one event a kind', () => {
    const { events } = then(
      given(started),
      batch({ params: pairs(['a', '1']), metrics: [point('auc')], tags: pairs(['t', 'x']) }),
    );
    expect(events.map(({ type }) => type)).toEqual(['ParamsLogged', 'MetricsLogged', 'RunTagged']);
  });

  it('takes a param again with its value and refuses another, with all that came beside it', () => {
    const { state } = then(given(started), batch({ params: pairs(['a', '1']) }));
    expect(then(state, batch({ params: pairs(['a', '1'], ['b', '2']) })).events).toEqual([
      { type: 'ParamsLogged', data: { runId, params: pairs(['b', '2']) } },
    ]);
    expect(runDecider.decide(state, batch({ params: pairs(['a', '2']), metrics: [point('auc')] }))).toMatchObject({
      refusal: { kind: 'invalid', code: 'PARAM_CHANGED' },
    });
  });

  it('takes the name from its tag, and the tag from its name', () => {
    const tagged = then(given(started), batch({ tags: pairs([RUN_NAME_TAG, 'first']) })).state;
    expect(tagged).toMatchObject({ name: 'first' });
    const renamed = then(tagged, { type: 'UpdateRun', runId, name: 'second', at: 1 }).state;
    expect(renamed).toMatchObject({ name: 'second' });
    expect(renamed.lifecycle !== 'none' && renamed.tags.get(RUN_NAME_TAG)).toBe('second');
  });

  it('finishes at the time it is told, or when it is told', () => {
    const finish = (endTime?: number): RunCommand => ({
      type: 'UpdateRun',
      runId,
      status: 'FINISHED',
      endTime,
      at: 77,
    });
    expect(then(given(started), finish(9)).events).toMatchObject([{ type: 'RunFinished', data: { endTime: 9 } }]);
    const { events, state } = then(given(started), finish());
    expect(events).toMatchObject([{ data: { status: 'FINISHED', endTime: 77 } }]);
    expect(then(state, finish()).events).toEqual([]);
    expect(then(state, { type: 'UpdateRun', runId, endTime: 99, at: 100 }).events).toMatchObject([
      { data: { status: 'FINISHED', endTime: 99 } },
    ]);
  });

  it('goes on after its end, and has no end then', () => {
    const { state } = then(given(started), { type: 'UpdateRun', runId, status: 'FAILED', endTime: 9, at: 9 });
    const resumed = then(state, { type: 'UpdateRun', runId, status: 'RUNNING', at: 10 });
    expect(resumed.events).toEqual([{ type: 'RunResumed', data: { runId, status: 'RUNNING' } }]);
    expect(resumed.state).toMatchObject({ status: 'RUNNING', endTime: undefined });
    expect(then(resumed.state, { type: 'UpdateRun', runId, endTime: 11, at: 11 }).events).toEqual([]);
    expect(then(state, { type: 'UpdateRun', runId, status: 'RUNNING', endTime: 9, at: 11 }).events).toEqual(
      resumed.events,
    );
  });

  it('still takes metrics when finished, and nothing when deleted', () => {
    const finished = then(given(started), { type: 'UpdateRun', runId, status: 'FINISHED', at: 9 }).state;
    expect(then(finished, batch({ metrics: [point('auc')] })).events).toHaveLength(1);
    const deleted = then(finished, { type: 'DeleteRun', runId }).state;
    expect(runDecider.decide(deleted, batch({ metrics: [point('auc')] }))).toMatchObject({
      refusal: { code: 'RUN_DELETED' },
    });
    expect(then(deleted, { type: 'DeleteRun', runId }).events).toEqual([]);
    const restored = then(deleted, { type: 'RestoreRun', runId }).state;
    expect(restored).toMatchObject({ lifecycle: 'active', status: 'FINISHED' });
    expect(then(restored, { type: 'RestoreRun', runId }).events).toEqual([]);
  });

  it('links each dataset and model once', () => {
    const inputs = (...names: string[]): RunCommand => ({
      type: 'LogInputs',
      runId,
      datasets: names.map((name) => dataset(name)),
      models: [{ modelId: 'm-1' }],
    });
    const first = then(given(started), inputs('a', 'a', 'b'));
    expect(first.events).toMatchObject([
      { data: { datasets: [{ name: 'a' }, { name: 'b' }], models: [{ modelId: 'm-1' }] } },
    ]);
    expect(then(first.state, inputs('a', 'b')).events).toEqual([]);
    expect(then(first.state, inputs('c')).events).toMatchObject([{ data: { datasets: [{ name: 'c' }], models: [] } }]);
    const outputs: RunCommand = { type: 'LogOutputs', runId, models: [{ modelId: 'm-1', step: 0 }] };
    const output = then(first.state, outputs);
    expect(output.events).toMatchObject([{ type: 'OutputsLogged' }]);
    expect(then(output.state, outputs).events).toEqual([]);
  });

  it('removes a tag that it has, and no other', () => {
    expect(then(given(started), { type: 'RemoveRunTag', runId, key: RUN_NAME_TAG }).events).toHaveLength(1);
    expect(runDecider.decide(given(started), { type: 'RemoveRunTag', runId, key: 'x' })).toMatchObject({
      refusal: { kind: 'not-found' },
    });
  });

  it('adds to the history of its models, and refuses to touch one that is not a list', () => {
    const record = (name: string): RunCommand => ({ type: 'RecordModel', runId, model: { artifact_path: name } });
    const one = then(given(started), record('a')).state;
    expect(then(one, record('b')).events).toMatchObject([
      { data: { tags: [{ key: 'mlflow.log-model.history', value: '[{"artifact_path":"a"},{"artifact_path":"b"}]' }] } },
    ]);
    const spoilt = then(given(started), batch({ tags: pairs(['mlflow.log-model.history', '{']) })).state;
    expect(runDecider.decide(spoilt, record('a'))).toMatchObject({ refusal: { code: 'TAG_NOT_JSON' } });
  });

  it('holds after any batches each param once, with the value that was first accepted', () => {
    const pair = fc.record({ key: fc.constantFrom('a', 'b', 'c'), value: fc.constantFrom('1', '2') });
    fc.assert(
      fc.property(fc.array(fc.array(pair, { maxLength: 3 })), (batches) => {
        const expected = new Map<string, string>();
        let state = given(started);
        for (const params of batches) {
          const decision = runDecider.decide(state, batch({ params }));
          if ('refusal' in decision) continue;
          for (const { key, value } of params) expected.set(key, expected.get(key) ?? value);
          state = decision.events.reduce(evolve, state);
        }
        expect(state.lifecycle !== 'none' && [...state.params].sort()).toEqual([...expected].sort());
      }),
    );
  });

  it('decides again to nothing what it has just decided', () => {
    const command = batch({ params: pairs(['a', '1']), tags: pairs(['t', 'x']) });
    expect(then(then(given(started), command).state, command).events).toEqual([]);
  });
});
