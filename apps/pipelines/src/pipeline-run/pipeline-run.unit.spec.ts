import * as fc from 'fast-check';
import type { PipelineRunEvent, PipelineStep } from '@mledger/contracts';
import type { Recorded, Refusal } from '@mledger/event-log';
import { pipelineRunDecider, readySteps, runningSteps, type PipelineRunCommand } from './pipeline-run';

const step = (name: string, dependsOn: string[] = [], attemptsMax = 1): PipelineStep => ({
  ...{ name, command: ['true'], dependsOn, env: {}, timeoutSeconds: 1, attemptsMax },
});
const ending = { durationMs: 1, log: null };
const succeed = (name: string, attempt = 1): PipelineRunCommand => {
  return { type: 'SucceedStep', step: name, attempt, outputs: { from: name }, ...ending };
};
const failStep = (name: string, attempt = 1): PipelineRunCommand => {
  return { type: 'FailStep', step: name, attempt, reason: 'exit', exitCode: 1, message: 'exited with 1', ...ending };
};

class RunHistory {
  state = pipelineRunDecider.initial;
  readonly events: Recorded<PipelineRunEvent>[] = [];

  constructor(steps: PipelineStep[]) {
    const about = { pipelineRunId: 'r1', pipelineId: 'p1', pipeline: 'retrain', revision: 1, definer: 'user:ana' };
    this.do({ type: 'TriggerRun', ...about, steps, role: 'contributor', cause: { kind: 'request' } });
  }

  do(command: PipelineRunCommand): string[] {
    const outcome = this.try(command);
    if ('refusal' in outcome) throw new Error(outcome.refusal.message);
    return outcome.types;
  }

  try(command: PipelineRunCommand): { types: string[] } | { refusal: Refusal } {
    const decision = pipelineRunDecider.decide(this.state, command);
    if ('refusal' in decision) return decision;
    for (const event of decision.events) {
      const version = this.events.length + 1;
      const recorded = {
        ...event,
        ...{ id: `e${version}`, stream: 'acme/pipeline-run:r1', version, schema: 1, tenant: 'acme', actor: 'a' },
        ...{ cause: 'c', correlation: 'k', time: new Date(version).toISOString() },
      } as Recorded<PipelineRunEvent>;
      this.events.push(recorded);
      this.state = pipelineRunDecider.evolve(this.state, recorded);
    }
    return { types: decision.events.map(({ type }) => type) };
  }
}

describe('a pipeline run', () => {
  it('starts what is ready, and completes with its last step', () => {
    const run = new RunHistory([step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c'])]);
    expect(readySteps(run.state)).toEqual(['a']);
    run.do({ type: 'StartStep', step: 'a' });
    expect(run.try({ type: 'StartStep', step: 'b' })).toMatchObject({ refusal: { code: 'STEP_NOT_READY' } });
    run.do(succeed('a'));
    expect(readySteps(run.state)).toEqual(['b', 'c']);
    for (const name of ['b', 'c']) run.do({ type: 'StartStep', step: name });
    for (const name of ['b', 'c']) expect(run.do(succeed(name))).toEqual(['StepSucceeded']);
    run.do({ type: 'StartStep', step: 'd' });
    expect(run.do(succeed('d'))).toEqual(['StepSucceeded', 'RunCompleted']);
    expect(run.state.status).toBe('succeeded');
  });

  it('starts a step once, and records one end of an attempt', () => {
    const run = new RunHistory([step('a', [], 2)]);
    run.do({ type: 'StartStep', step: 'a' });
    expect(run.try({ type: 'StartStep', step: 'a' })).toHaveProperty('refusal');
    expect(run.do(failStep('a', 1))).toEqual(['StepFailed']);
    run.do({ type: 'StartStep', step: 'a' });
    expect(run.do(succeed('a', 1))).toEqual([]);
    expect(run.do(failStep('a', 2))).toEqual(['StepFailed', 'RunCompleted']);
    expect(run.events.at(-1)?.data).toMatchObject({ status: 'failed', message: 'step a: exited with 1' });
  });

  it('starts nothing more after a failure, but waits for what runs', () => {
    const run = new RunHistory([step('a'), step('b'), step('c', ['b'])]);
    for (const name of ['a', 'b']) run.do({ type: 'StartStep', step: name });
    expect(run.do(failStep('a'))).toEqual(['StepFailed']);
    expect(run.do(succeed('b'))).toEqual(['StepSucceeded', 'RunCompleted']);
    expect(run.events.at(-1)?.data).toMatchObject({ status: 'failed' });
  });

  it('is cancelled with what runs, and then hears of it no more', () => {
    const run = new RunHistory([step('a')]);
    run.do({ type: 'StartStep', step: 'a' });
    expect(run.do({ type: 'CancelRun', message: 'no need' })).toEqual(['StepFailed', 'RunCompleted']);
    expect(run.try({ type: 'CancelRun', message: 'again' })).toMatchObject({ refusal: { kind: 'conflict' } });
    expect(run.do(failStep('a', 2))).toEqual([]);
    // But for the end of its process, with what it printed: however that was, and once.
    expect(run.do(succeed('a'))).toEqual(['StepStopped']);
    expect(run.events.at(-1)?.data).toMatchObject({ step: 'a', attempt: 1, ...ending });
    expect(run.do(failStep('a'))).toEqual([]);
    expect(run.state).toMatchObject({ status: 'cancelled' });
  });

  it('comes to exactly one end, and never runs two attempts of a step, whatever happens', () => {
    const steps = [step('a', [], 2), step('b'), step('c', ['a']), step('d', ['b', 'c'], 3)];
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const attempt = fc.integer({ min: 1, max: 3 });
    const command = fc.oneof(
      name.map((one): PipelineRunCommand => ({ type: 'StartStep', step: one })),
      fc.tuple(name, attempt).map(([one, n]) => succeed(one, n)),
      fc.tuple(name, attempt).map(([one, n]) => failStep(one, n)),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), fc.boolean(), (commands, finish) => {
        const run = new RunHistory(steps);
        for (const one of commands) run.try(one);
        if (finish) driveToEnd(run);
        const ends = run.events.filter(({ type }) => type === 'RunCompleted');
        expect(ends.length).toBe(run.state.status === 'running' ? 0 : 1);
        if (finish) expect(run.state.status).not.toBe('running');
        for (const { name: one, attemptsMax } of steps) {
          const started = run.events.filter((event) => event.type === 'StepStarted' && event.data.step === one);
          expect(started.length).toBeLessThanOrEqual(attemptsMax);
        }
        const refolded = run.events.reduce(pipelineRunDecider.evolve, pipelineRunDecider.initial);
        expect(refolded).toEqual(run.state);
      }),
    );
  });
});

function driveToEnd(run: RunHistory): void {
  for (let turn = 0; run.state.status === 'running' && turn < 50; turn += 1) {
    for (const [name, { attempt }] of runningSteps(run.state)) run.do(succeed(name, attempt));
    for (const name of readySteps(run.state)) run.do({ type: 'StartStep', step: name });
  }
}
