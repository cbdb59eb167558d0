import type { ExperimentsEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision, type Recorded } from '@mledger/event-log';
import { lastOfEachKey, withoutKey, withPairs, type KeyValue } from '../key-values';

export const EXPERIMENT_NAME_CHARACTERS_MAX = 500;
export const EXPERIMENT_TAG_CHARACTERS_MAX = 20_000;

/** Every tenant has this experiment from the start: what clients log to when they name none. */
export const DEFAULT_EXPERIMENT = { experimentId: '0', name: 'Default' } as const;

export type ExperimentEvent = Extract<
  ExperimentsEvent,
  {
    type:
      | 'ExperimentCreated'
      | 'ExperimentRenamed'
      | 'ExperimentTagged'
      | 'ExperimentTagRemoved'
      | 'ExperimentDeleted'
      | 'ExperimentRestored';
  }
>;

export type ExperimentState =
  | { readonly status: 'none' }
  | {
      readonly status: 'active' | 'deleted';
      readonly name: string;
      readonly tags: ReadonlyMap<string, string>;
    };

export type ExperimentCommand = { readonly experimentId: string } & (
  | {
      readonly type: 'CreateExperiment';
      readonly name: string;
      readonly artifactLocation: string;
      readonly tags: readonly KeyValue[];
    }
  | { readonly type: 'RenameExperiment'; readonly fromName: string; readonly toName: string }
  | { readonly type: 'TagExperiment'; readonly tags: readonly KeyValue[] }
  | { readonly type: 'RemoveExperimentTag'; readonly key: string }
  | { readonly type: 'DeleteExperiment' }
  | { readonly type: 'RestoreExperiment' }
);

function decide(state: ExperimentState, command: ExperimentCommand): Decision<ExperimentEvent> {
  const { experimentId } = command;
  if (command.type === 'CreateExperiment') {
    if (state.status !== 'none') {
      return refuse('exists', 'EXPERIMENT_EXISTS', `Experiment ${experimentId} already exists.`);
    }
    const { name, artifactLocation, tags } = command;
    return accept({
      type: 'ExperimentCreated',
      data: { experimentId, name, artifactLocation, tags: lastOfEachKey(tags) },
    });
  }
  if (state.status === 'none') return notFound(`No experiment with id=${experimentId} exists.`);
  if (state.status === 'active') {
    if (command.type !== 'RestoreExperiment') return decideActive(state, command);
    return notFound(`No deleted experiment with id=${experimentId} exists.`);
  }
  if (command.type === 'RestoreExperiment') return accept({ type: 'ExperimentRestored', data: { experimentId } });
  if (command.type === 'DeleteExperiment') return notFound(`No active experiment with id=${experimentId} exists.`);
  return refuse('invalid', 'EXPERIMENT_DELETED', notActive(experimentId));
}

function notFound(message: string): Decision<never> {
  return refuse('not-found', 'EXPERIMENT_NOT_FOUND', message);
}

export function notActive(experimentId: string): string {
  return `The experiment ${experimentId} must be in the 'active' state. Current state is deleted. Restore it first.`;
}

type Existing = Exclude<ExperimentState, { status: 'none' }>;
type ActiveCommand = Exclude<ExperimentCommand, { type: 'CreateExperiment' | 'RestoreExperiment' }>;

function decideActive(state: Existing, command: ActiveCommand): Decision<ExperimentEvent> {
  const { experimentId } = command;
  switch (command.type) {
    case 'RenameExperiment': {
      const { fromName, toName } = command;
      if (state.name === toName) return accept();
      if (state.name !== fromName) {
        return refuse(
          'conflict',
          'EXPERIMENT_RENAMED',
          `The experiment is no longer named '${fromName}'. Read it and try again.`,
        );
      }
      return accept({ type: 'ExperimentRenamed', data: { experimentId, fromName, toName } });
    }
    case 'TagExperiment': {
      const tags = lastOfEachKey(command.tags).filter(({ key, value }) => state.tags.get(key) !== value);
      return tags.length === 0 ? accept() : accept({ type: 'ExperimentTagged', data: { experimentId, tags } });
    }
    case 'RemoveExperimentTag': {
      const { key } = command;
      if (!state.tags.has(key)) {
        return refuse('not-found', 'TAG_NOT_FOUND', `No tag with name: ${key} in experiment with id ${experimentId}.`);
      }
      return accept({ type: 'ExperimentTagRemoved', data: { experimentId, key } });
    }
    case 'DeleteExperiment':
      return accept({ type: 'ExperimentDeleted', data: { experimentId } });
    default:
      return unreachable(command);
  }
}

function evolve(state: ExperimentState, event: Recorded<ExperimentEvent>): ExperimentState {
  if (event.type === 'ExperimentCreated') {
    const { name, tags } = event.data;
    return { status: 'active', name, tags: withPairs(new Map(), tags) };
  }
  if (state.status === 'none') throw new Error(`${event.stream} begins with ${event.type}`);
  switch (event.type) {
    case 'ExperimentRenamed':
      return { ...state, name: event.data.toName };
    case 'ExperimentTagged':
      return { ...state, tags: withPairs(state.tags, event.data.tags) };
    case 'ExperimentTagRemoved':
      return { ...state, tags: withoutKey(state.tags, event.data.key) };
    case 'ExperimentDeleted':
      return { ...state, status: 'deleted' };
    case 'ExperimentRestored':
      return { ...state, status: 'active' };
    default:
      return unreachable(event);
  }
}

/** An experiment: a name over runs. Deleting hides it and, through it, each of its runs. */
export const experimentDecider: Decider<ExperimentState, ExperimentCommand, ExperimentEvent> = {
  kind: 'experiment',
  initial: { status: 'none' },
  decide,
  evolve,
};
