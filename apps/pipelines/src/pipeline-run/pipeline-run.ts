import type { PipelineRunEvent, PipelineStep, Role, RunCause, StoredLog } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision, type Recorded } from '@mledger/event-log';

export interface StepState {
  readonly definition: PipelineStep;
  /** `cancelled`: failed by that, and its process is not known to have ended. */
  readonly status: 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  /** Which start of it this is; 0 before the first. */
  readonly attempt: number;
  readonly outputs: Readonly<Record<string, unknown>>;
  /** The event that started the attempt at hand: the cause of all that the step does. */
  readonly startedBy: string;
}

export interface PipelineRunState {
  readonly status: 'absent' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  readonly pipelineRunId: string;
  readonly pipelineId: string;
  readonly pipeline: string;
  readonly role: Role;
  readonly definer: string;
  readonly correlation: string;
  /** The run's latest event: the cause of its next. */
  readonly headEvent: string;
  /** In the order of the definition. */
  readonly steps: ReadonlyMap<string, StepState>;
}

export type StepFailure = Extract<PipelineRunEvent, { type: 'StepFailed' }>['data']['reason'];

interface StepEnd {
  readonly step: string;
  readonly attempt: number;
  readonly durationMs: number;
  readonly log: StoredLog | null;
}

export type PipelineRunCommand =
  | {
      readonly type: 'TriggerRun';
      readonly pipelineRunId: string;
      readonly pipelineId: string;
      readonly pipeline: string;
      readonly revision: number;
      readonly steps: readonly PipelineStep[];
      readonly role: Role;
      readonly definer: string;
      readonly cause: RunCause;
    }
  | { readonly type: 'StartStep'; readonly step: string }
  | ({ readonly type: 'SucceedStep'; readonly outputs: Readonly<Record<string, unknown>> } & StepEnd)
  | ({
      readonly type: 'FailStep';
      readonly reason: StepFailure;
      readonly exitCode: number | null;
      readonly message: string;
    } & StepEnd)
  | { readonly type: 'CancelRun'; readonly message: string };

type RunDecision = Decision<PipelineRunEvent>;

const initial: PipelineRunState = {
  status: 'absent',
  ...{ pipelineRunId: '', pipelineId: '', pipeline: '', role: 'reader', definer: '', correlation: '', headEvent: '' },
  steps: new Map(),
};

export const pipelineRunDecider: Decider<PipelineRunState, PipelineRunCommand, PipelineRunEvent> = {
  kind: 'pipeline-run',
  initial,
  decide,
  evolve,
};

/** The steps that may start now: all they depend on is done, nothing has failed for good, and tries are left. */
export function readySteps(state: PipelineRunState): string[] {
  if (state.status !== 'running' || isDoomed(state)) return [];
  return [...state.steps].filter(([, step]) => mayStart(state, step)).map(([name]) => name);
}

export function runningSteps(state: PipelineRunState): [name: string, step: StepState][] {
  return [...state.steps].filter(([, step]) => step.status === 'running');
}

function decide(state: PipelineRunState, command: PipelineRunCommand): RunDecision {
  if (command.type === 'TriggerRun') return trigger(state, command);
  if (state.status === 'absent') return refuse('not-found', 'RUN_NOT_FOUND', 'There is no such pipeline run');
  switch (command.type) {
    case 'StartStep':
      return start(state, command.step);
    case 'SucceedStep':
      return succeed(state, command);
    case 'FailStep':
      return fail(state, command);
    case 'CancelRun':
      return cancel(state, command.message);
    default:
      return unreachable(command);
  }
}

function trigger(state: PipelineRunState, command: Extract<PipelineRunCommand, { type: 'TriggerRun' }>): RunDecision {
  if (state.status !== 'absent') return accept();
  const { type: _type, steps, ...data } = command;
  return accept({ type: 'RunTriggered', data: { ...data, steps: [...steps] } });
}

function start(state: PipelineRunState, name: string): RunDecision {
  if (!readySteps(state).includes(name)) {
    return refuse('conflict', 'STEP_NOT_READY', `Step ${name} of run ${state.pipelineRunId} may not start now`);
  }
  const attempt = state.steps.get(name)!.attempt + 1;
  return accept({ type: 'StepStarted', data: { ...about(state), step: name, attempt } });
}

function succeed(state: PipelineRunState, command: Extract<PipelineRunCommand, { type: 'SucceedStep' }>): RunDecision {
  const { step, attempt, durationMs, outputs, log } = command;
  if (!isAtWork(state, step, attempt)) return stopped(state, command);
  const data = { ...about(state), step, attempt, durationMs, outputs: { ...outputs }, log };
  const rest = [...state.steps].filter(([name]) => name !== step).map(([, other]) => other);
  if (rest.every((other) => other.status === 'succeeded')) {
    return accept({ type: 'StepSucceeded', data }, completed(state, 'succeeded', ''));
  }
  const last = rest.every((other) => other.status !== 'running');
  if (last && isDoomed(state)) return accept({ type: 'StepSucceeded', data }, completed(state, 'failed', doom(state)));
  return accept({ type: 'StepSucceeded', data });
}

function fail(state: PipelineRunState, command: Extract<PipelineRunCommand, { type: 'FailStep' }>): RunDecision {
  const { type: _type, step: name, attempt, ...rest } = command;
  if (!isAtWork(state, name, attempt)) return stopped(state, command);
  const failed = { type: 'StepFailed', data: { ...about(state), step: name, attempt, ...rest } } as const;
  const final = attempt >= state.steps.get(name)!.definition.attemptsMax;
  const othersRun = runningSteps(state).some(([other]) => other !== name);
  if (othersRun || (!final && !isDoomed(state))) return accept(failed);
  const message = final ? `step ${name}: ${rest.message}` : doom(state);
  return accept(failed, completed(state, 'failed', message));
}

/** However the process of a cancelled step ended, what it printed is told. Of an attempt that was lost and taken over, nothing more is. */
function stopped(state: PipelineRunState, { step, attempt, durationMs, log }: StepEnd): RunDecision {
  const of = state.steps.get(step);
  if (of?.status !== 'cancelled' || of.attempt !== attempt) return accept();
  return accept({ type: 'StepStopped', data: { ...about(state), step, attempt, durationMs, log } });
}

function cancel(state: PipelineRunState, message: string): RunDecision {
  if (state.status !== 'running') {
    return refuse('conflict', 'RUN_COMPLETED', `Pipeline run ${state.pipelineRunId} is ${state.status} already`);
  }
  const ended = { reason: 'cancelled', exitCode: null, message, durationMs: 0, log: null } as const;
  const failures = runningSteps(state).map(([step, { attempt }]): PipelineRunEvent => {
    return { type: 'StepFailed', data: { ...about(state), step, attempt, ...ended } };
  });
  return accept(...failures, completed(state, 'cancelled', message));
}

function evolve(state: PipelineRunState, event: Recorded<PipelineRunEvent>): PipelineRunState {
  return { ...changed(state, event), headEvent: event.id };
}

function changed(state: PipelineRunState, event: Recorded<PipelineRunEvent>): PipelineRunState {
  switch (event.type) {
    case 'RunTriggered': {
      const { pipelineRunId, pipelineId, pipeline, role, definer, steps } = event.data;
      const begun = { status: 'waiting', attempt: 0, outputs: {}, startedBy: '' } as const;
      return {
        ...{ status: 'running', pipelineRunId, pipelineId, pipeline, role, definer, correlation: event.correlation },
        headEvent: event.id,
        steps: new Map(steps.map((definition) => [definition.name, { definition, ...begun }])),
      };
    }
    case 'StepStarted': {
      const { step, attempt } = event.data;
      return withStep(state, step, { status: 'running', attempt, startedBy: event.id });
    }
    case 'StepSucceeded':
      return withStep(state, event.data.step, { status: 'succeeded', outputs: event.data.outputs });
    case 'StepFailed': {
      const { step, reason } = event.data;
      return withStep(state, step, { status: reason === 'cancelled' ? 'cancelled' : 'failed' });
    }
    case 'StepStopped':
      return withStep(state, event.data.step, { status: 'failed' });
    case 'RunCompleted':
      return { ...state, status: event.data.status };
    default:
      return unreachable(event);
  }
}

function withStep(state: PipelineRunState, name: string, change: Partial<StepState>): PipelineRunState {
  const step = state.steps.get(name);
  if (step === undefined) throw new Error(`run ${state.pipelineRunId} has no step ${name}`);
  return { ...state, steps: new Map(state.steps).set(name, { ...step, ...change }) };
}

function mayStart(state: PipelineRunState, { status, attempt, definition }: StepState): boolean {
  const due = status === 'waiting' || (status === 'failed' && attempt < definition.attemptsMax);
  return due && definition.dependsOn.every((needed) => state.steps.get(needed)?.status === 'succeeded');
}

/** A step has failed for good, so nothing more is started. */
function isDoomed(state: PipelineRunState): boolean {
  return doomed(state) !== undefined;
}

function doomed(state: PipelineRunState): string | undefined {
  const found = [...state.steps].find(
    ([, { status, attempt, definition }]) => status === 'failed' && attempt >= definition.attemptsMax,
  );
  return found?.[0];
}

function doom(state: PipelineRunState): string {
  return `step ${doomed(state)} failed`;
}

function isAtWork(state: PipelineRunState, name: string, attempt: number): boolean {
  const step = state.steps.get(name);
  return state.status === 'running' && step?.status === 'running' && step.attempt === attempt;
}

function completed(
  state: PipelineRunState,
  status: 'succeeded' | 'failed' | 'cancelled',
  message: string,
): PipelineRunEvent {
  return { type: 'RunCompleted', data: { ...about(state), status, message } };
}

function about({ pipelineRunId, pipelineId, pipeline }: PipelineRunState) {
  return { pipelineRunId, pipelineId, pipeline };
}
