import { createHash } from 'node:crypto';
import type { Recorded } from '@mledger/event-log';
import {
  loggedModelDecider,
  manifestSha256,
  type LoggedModelCommand,
  type LoggedModelEvent,
  type LoggedModelState,
} from './logged-model';

const modelId = `m-${'0'.repeat(32)}`;
const created: LoggedModelEvent = {
  type: 'LoggedModelCreated',
  data: {
    modelId,
    experimentId: '0',
    name: 'model',
    modelType: '',
    artifactLocation: `mlflow-artifacts:/0/models/${modelId}/artifacts`,
    params: [{ key: 'depth', value: '6' }],
    tags: [],
  },
};
const file = (path: string, digit = 'a') => ({
  experimentId: '0',
  path,
  sizeBytes: 3,
  sha256: digit.repeat(64),
  objectKey: `default/experiments/0/00/${path.length}`,
});

const evolve = (state: LoggedModelState, event: LoggedModelEvent) =>
  loggedModelDecider.evolve(state, event as Recorded<LoggedModelEvent>);
const after = (
  state: LoggedModelState,
  ...commands: LoggedModelCommand[]
): { state: LoggedModelState; events: LoggedModelEvent[] } => {
  const events: LoggedModelEvent[] = [];
  for (const command of commands) {
    const decision = loggedModelDecider.decide(state, command);
    if ('refusal' in decision) throw new Error(`refused: ${decision.refusal.code}`);
    state = decision.events.reduce(evolve, state);
    events.push(...decision.events);
  }
  return { state, events };
};
const pending = evolve(loggedModelDecider.initial, created);
const store = (path: string, digit?: string): LoggedModelCommand => ({
  type: 'StoreArtifact',
  modelId,
  artifact: file(path, digit),
});
const ready: LoggedModelCommand = { type: 'FinalizeLoggedModel', modelId, status: 'READY' };

describe('a logged model', () => {
  it('is ready with the digest of its files, whatever order they came in', () => {
    const one = after(pending, store('MLmodel', 'a'), store('model.onnx', 'b'), ready).events.at(-1);
    const other = after(pending, store('model.onnx', 'b'), store('MLmodel', 'a'), ready).events.at(-1);
    const text = `[{"path":"MLmodel","sha256":"${'a'.repeat(64)}","sizeBytes":3},{"path":"model.onnx","sha256":"${'b'.repeat(64)}","sizeBytes":3}]`;
    expect(one).toEqual({
      type: 'LoggedModelReady',
      data: { modelId, manifestSha256: createHash('sha256').update(text).digest('hex') },
    });
    expect(other).toEqual(one);
  });

  it('says again what it consists of when a file changes after it was ready', () => {
    const { state } = after(pending, store('MLmodel'), ready);
    expect(after(state, ready).events).toEqual([]);
    const changed = after(state, store('MLmodel', 'c')).events;
    expect(changed.map(({ type }) => type)).toEqual(['ArtifactStored', 'LoggedModelReady']);
    const removed = after(state, { type: 'DeleteArtifacts', modelId, experimentId: '0', paths: ['MLmodel'] }).events;
    expect(removed.at(-1)).toMatchObject({ data: { manifestSha256: manifestSha256(new Map()) } });
  });

  it('may fail, be ready after that, and is never pending again', () => {
    const failed = after(pending, { type: 'FinalizeLoggedModel', modelId, status: 'UPLOAD_FAILED' }).state;
    expect(failed).toMatchObject({ status: 'UPLOAD_FAILED' });
    const { state } = after(failed, ready);
    expect(loggedModelDecider.decide(state, { type: 'FinalizeLoggedModel', modelId, status: 'PENDING' })).toMatchObject(
      {
        refusal: { kind: 'invalid' },
      },
    );
  });

  it('takes a param once', () => {
    const log = (value: string): LoggedModelCommand => ({
      type: 'LogModelParams',
      modelId,
      params: [{ key: 'depth', value }],
    });
    expect(after(pending, log('6')).events).toEqual([]);
    expect(loggedModelDecider.decide(pending, log('7'))).toMatchObject({ refusal: { code: 'PARAM_CHANGED' } });
  });

  it('is gone when deleted, and not there before it was made', () => {
    const { state } = after(pending, { type: 'DeleteLoggedModel', modelId });
    expect(loggedModelDecider.decide(state, ready)).toMatchObject({ refusal: { kind: 'not-found' } });
    expect(loggedModelDecider.decide(loggedModelDecider.initial, ready)).toMatchObject({
      refusal: { kind: 'not-found' },
    });
  });

  it('changes its tags', () => {
    const tag: LoggedModelCommand = { type: 'TagLoggedModel', modelId, tags: [{ key: 'a', value: '1' }] };
    const { state } = after(pending, tag);
    expect(after(state, tag).events).toEqual([]);
    expect(after(state, { type: 'RemoveLoggedModelTag', modelId, key: 'a' }).events).toHaveLength(1);
    expect(loggedModelDecider.decide(state, { type: 'RemoveLoggedModelTag', modelId, key: 'b' })).toMatchObject({
      refusal: { kind: 'not-found' },
    });
  });
});
