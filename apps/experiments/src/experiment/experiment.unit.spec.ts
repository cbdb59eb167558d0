import type { Recorded } from '@mledger/event-log';
import { experimentDecider, type ExperimentCommand, type ExperimentEvent, type ExperimentState } from './experiment';
import { experimentNameDecider, type ExperimentNameEvent } from './experiment-name';

const experimentId = '176394120012304817';
const created: ExperimentEvent = {
  type: 'ExperimentCreated',
  data: {
    experimentId,
    name: 'delays',
    artifactLocation: `mlflow-artifacts:/${experimentId}`,
    tags: [{ key: 'team', value: 'ops' }],
  },
};
const renamed: ExperimentEvent = {
  type: 'ExperimentRenamed',
  data: { experimentId, fromName: 'delays', toName: 'late' },
};
const deleted: ExperimentEvent = { type: 'ExperimentDeleted', data: { experimentId } };
const restored: ExperimentEvent = { type: 'ExperimentRestored', data: { experimentId } };

const given = (...events: ExperimentEvent[]): ExperimentState =>
  events.reduce(
    (state, event) => experimentDecider.evolve(state, event as Recorded<ExperimentEvent>),
    experimentDecider.initial,
  );

const when = (state: ExperimentState, command: ExperimentCommand) => experimentDecider.decide(state, command);

describe('an experiment', () => {
  it('is created once', () => {
    const command: ExperimentCommand = { type: 'CreateExperiment', ...created.data };
    expect(when(given(), command)).toEqual({ events: [created] });
    expect(when(given(created), command)).toMatchObject({ refusal: { kind: 'exists' } });
  });

  it('keeps the last value of a tag that its creation names twice', () => {
    const tags = [
      { key: 'team', value: 'ops' },
      { key: 'team', value: 'data' },
    ];
    expect(when(given(), { type: 'CreateExperiment', ...created.data, tags })).toMatchObject({
      events: [{ data: { tags: [{ key: 'team', value: 'data' }] } }],
    });
  });

  it('is renamed from the name it has, and refuses one who read an older name', () => {
    const rename: ExperimentCommand = { type: 'RenameExperiment', experimentId, fromName: 'delays', toName: 'late' };
    expect(when(given(created), rename)).toEqual({ events: [renamed] });
    expect(when(given(created), { ...rename, toName: 'delays' })).toEqual({ events: [] });
    expect(when(given(created, renamed), { ...rename, toName: 'tardy' })).toMatchObject({
      refusal: { kind: 'conflict' },
    });
  });

  it('records a tag only when it changes', () => {
    const tag = (value: string): ExperimentCommand => ({
      type: 'TagExperiment',
      experimentId,
      tags: [{ key: 'team', value }],
    });
    expect(when(given(created), tag('ops'))).toEqual({ events: [] });
    expect(when(given(created), tag('data'))).toMatchObject({ events: [{ type: 'ExperimentTagged' }] });
  });

  it('removes a tag that it has, and no other', () => {
    const remove = (key: string): ExperimentCommand => ({ type: 'RemoveExperimentTag', experimentId, key });
    expect(when(given(created), remove('team'))).toMatchObject({ events: [{ type: 'ExperimentTagRemoved' }] });
    expect(when(given(created), remove('other'))).toMatchObject({ refusal: { kind: 'not-found' } });
  });

  it('when deleted, can only be restored', () => {
    const gone = given(created, deleted);
    expect(when(gone, { type: 'RestoreExperiment', experimentId })).toEqual({ events: [restored] });
    expect(when(gone, { type: 'DeleteExperiment', experimentId })).toMatchObject({ refusal: { kind: 'not-found' } });
    expect(when(gone, { type: 'TagExperiment', experimentId, tags: [] })).toMatchObject({
      refusal: { kind: 'invalid' },
    });
    expect(when(given(created, deleted, restored), { type: 'RestoreExperiment', experimentId })).toMatchObject({
      refusal: { kind: 'not-found' },
    });
  });

  it('does not exist before its creation', () => {
    expect(when(given(), { type: 'DeleteExperiment', experimentId })).toMatchObject({ refusal: { kind: 'not-found' } });
    expect(() => given(deleted)).toThrow('begins with ExperimentDeleted');
  });
});

describe('an experiment name', () => {
  const { initial, decide, evolve } = experimentNameDecider;
  const claim = { type: 'ClaimName', name: 'delays', experimentId } as const;
  const release = { ...claim, type: 'ReleaseName' } as const;
  const held = evolve(initial, {
    type: 'NameClaimed',
    data: { name: 'delays', experimentId },
  } as Recorded<ExperimentNameEvent>);

  it('has one holder at a time', () => {
    expect(decide(initial, claim)).toMatchObject({ events: [{ type: 'NameClaimed' }] });
    expect(decide(held, { ...claim, experimentId: '7' })).toMatchObject({ refusal: { kind: 'exists' } });
  });

  it('is released by its holder alone, and is free again then', () => {
    expect(decide(held, { ...release, experimentId: '7' })).toEqual({ events: [] });
    expect(decide(held, release)).toMatchObject({ events: [{ type: 'NameReleased' }] });
    const free = evolve(held, {
      type: 'NameReleased',
      data: { name: 'delays', experimentId },
    } as Recorded<ExperimentNameEvent>);
    expect(decide(free, claim)).toMatchObject({ events: [{ type: 'NameClaimed' }] });
  });
});
