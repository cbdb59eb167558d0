import type { PipelineEvent, PipelineStep, PipelineTrigger, Role } from '@mledger/contracts';
import {
  accept,
  canonicalJson,
  refuse,
  unreachable,
  type Decider,
  type Decision,
  type Recorded,
} from '@mledger/event-log';

export interface PipelineDefinition {
  readonly steps: readonly PipelineStep[];
  readonly triggers: readonly PipelineTrigger[];
  /** What its steps may do, as far as the definer may. */
  readonly role: Role;
}

export interface PipelineState {
  readonly status: 'absent' | 'defined' | 'deleted';
  readonly name: string;
  /** Counts the definitions; 0 before the first. */
  readonly revision: number;
  readonly definition: PipelineDefinition;
  readonly definer: string;
  /** When an event last started a run, by the monitor it came from. */
  readonly firedAt: ReadonlyMap<string, string>;
}

export type PipelineCommand =
  | {
      readonly type: 'DefinePipeline';
      readonly pipelineId: string;
      readonly name: string;
      readonly definition: PipelineDefinition;
      readonly actor: string;
    }
  | { readonly type: 'DeletePipeline'; readonly pipelineId: string }
  | {
      readonly type: 'FireTrigger';
      readonly pipelineId: string;
      readonly pipelineRunId: string;
      readonly on: PipelineTrigger['on'];
      readonly monitor: string;
      readonly eventId: string;
      /** Now, RFC 3339. */
      readonly at: string;
    };

type PipelineDecision = Decision<PipelineEvent>;

const initial: PipelineState = {
  status: 'absent',
  name: '',
  revision: 0,
  definition: { steps: [], triggers: [], role: 'reader' },
  definer: '',
  firedAt: new Map(),
};

export const pipelineDecider: Decider<PipelineState, PipelineCommand, PipelineEvent> = {
  kind: 'pipeline',
  initial,
  decide,
  evolve,
};

function decide(state: PipelineState, command: PipelineCommand): PipelineDecision {
  switch (command.type) {
    case 'DefinePipeline':
      return define(state, command);
    case 'DeletePipeline':
      if (state.status !== 'defined') return refuse('not-found', 'PIPELINE_NOT_FOUND', 'There is no such pipeline');
      return accept({ type: 'PipelineDeleted', data: { pipelineId: command.pipelineId, pipeline: state.name } });
    case 'FireTrigger':
      return fire(state, command);
    default:
      return unreachable(command);
  }
}

function define(state: PipelineState, command: Extract<PipelineCommand, { type: 'DefinePipeline' }>): PipelineDecision {
  const { pipelineId, name: pipeline, definition } = command;
  if (state.status === 'deleted') return refuse('not-found', 'PIPELINE_NOT_FOUND', `Pipeline ${pipeline} was deleted`);
  // A step's rights end with its definer's, and a pipeline is nobody whose rights could end.
  if (command.actor.startsWith('pipeline:')) {
    return refuse('forbidden', 'DEFINED_BY_PIPELINE', 'A pipeline cannot define pipelines: ask an admin to');
  }
  const { steps, triggers, role } = definition;
  const same = state.definer === command.actor && canonicalJson(state.definition) === canonicalJson(definition);
  if (state.status === 'defined' && same) return accept();
  const fault = faultOfSteps(steps);
  if (fault) return refuse('invalid', 'INVALID_STEPS', fault);
  return accept({
    type: 'PipelineDefined',
    data: { pipelineId, pipeline, revision: state.revision + 1, steps: [...steps], triggers: [...triggers], role },
  });
}

/** Fires unless no trigger is meant or its time has not come; a pipeline that does not want the event is no error. */
function fire(state: PipelineState, command: Extract<PipelineCommand, { type: 'FireTrigger' }>): PipelineDecision {
  const { pipelineId, pipelineRunId, monitor, eventId, at } = command;
  if (state.status !== 'defined') return accept();
  const last = state.firedAt.get(monitor);
  const due = state.definition.triggers.some(
    (trigger) =>
      trigger.on === command.on &&
      (trigger.monitor === undefined || trigger.monitor === monitor) &&
      (last === undefined || Date.parse(at) - Date.parse(last) >= trigger.cooldownSeconds * 1000),
  );
  if (!due) return accept();
  return accept({
    type: 'TriggerFired',
    data: { pipelineId, pipeline: state.name, pipelineRunId, eventId, eventType: command.on, monitor },
  });
}

function evolve(state: PipelineState, event: Recorded<PipelineEvent>): PipelineState {
  switch (event.type) {
    case 'PipelineDefined': {
      const { pipeline: name, revision, steps, triggers, role } = event.data;
      return {
        ...state,
        status: 'defined',
        name,
        revision,
        definition: { steps, triggers, role },
        definer: event.actor,
      };
    }
    case 'PipelineDeleted':
      return { ...state, status: 'deleted' };
    case 'TriggerFired':
      return { ...state, firedAt: new Map(state.firedAt).set(event.data.monitor, event.time) };
    default:
      return unreachable(event);
  }
}

/** What is wrong with these steps, or undefined: names are unique, every dependency exists, and none goes in a circle. */
export function faultOfSteps(steps: readonly PipelineStep[]): string | undefined {
  const names = new Set(steps.map(({ name }) => name));
  if (names.size < steps.length) return 'Two steps have the same name';
  for (const { name, dependsOn } of steps) {
    const unknown = dependsOn.find((needed) => !names.has(needed));
    if (unknown !== undefined) return `Step ${name} depends on ${unknown}, which is no step of this pipeline`;
  }
  const reached = new Set<string>();
  for (let grew = true; grew;) {
    const ready = steps.filter(
      ({ name, dependsOn }) => !reached.has(name) && dependsOn.every((one) => reached.has(one)),
    );
    for (const { name } of ready) reached.add(name);
    grew = ready.length > 0;
  }
  const stuck = steps.filter(({ name }) => !reached.has(name)).map(({ name }) => name);
  return stuck.length === 0 ? undefined : `Steps depend on one another in a circle: ${stuck.join(', ')}`;
}
