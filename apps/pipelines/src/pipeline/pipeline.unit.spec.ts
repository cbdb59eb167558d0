import type { PipelineEvent, PipelineStep, PipelineTrigger } from '@mledger/contracts';
import type { Recorded } from '@mledger/event-log';
import { faultOfSteps, pipelineDecider, type PipelineCommand } from './pipeline';

const step = (name: string, ...dependsOn: string[]): PipelineStep => ({
  ...{ name, command: ['true'], dependsOn, env: {}, timeoutSeconds: 1, attemptsMax: 1 },
});
const noon = Date.UTC(2026, 0, 1, 12);

function given(triggers: PipelineTrigger[]) {
  let state = pipelineDecider.initial;
  let count = 0;
  const decide = (command: PipelineCommand, atMs = noon) => {
    const decision = pipelineDecider.decide(state, command);
    if ('refusal' in decision) throw new Error(decision.refusal.message);
    for (const event of decision.events) {
      const meta = { tenant: 'acme', actor: 'user:ana', cause: 'c', correlation: 'k', schema: 1, stream: 's' };
      const place = { id: `e${(count += 1)}`, version: count, time: new Date(atMs).toISOString() };
      state = pipelineDecider.evolve(state, { ...event, ...meta, ...place } as Recorded<PipelineEvent>);
    }
    return decision.events.map(({ type }) => type);
  };
  const definition = { steps: [step('a')], triggers, role: 'contributor' } as const;
  const define = (actor = 'user:ana') =>
    decide({ type: 'DefinePipeline', pipelineId: 'p', name: 'retrain', definition, actor });
  define();
  const fire = (monitor: string, afterSeconds = 0, on: PipelineTrigger['on'] = 'DriftDetected') => {
    const atMs = noon + afterSeconds * 1000;
    const at = new Date(atMs).toISOString();
    return decide({ type: 'FireTrigger', pipelineId: 'p', pipelineRunId: 'r', on, monitor, eventId: 'e', at }, atMs);
  };
  return { fire, decide, define };
}

describe('a definition', () => {
  it('that says the same again changes nothing; by somebody else it does', () => {
    const { define } = given([]);
    expect(define()).toEqual([]);
    expect(define('user:bo')).toEqual(['PipelineDefined']);
  });

  it('cannot come from a pipeline', () => {
    expect(() => given([]).define('pipeline:p')).toThrow('A pipeline cannot define pipelines');
  });
});

describe('a trigger', () => {
  it('fires for its event and its monitor, and not for others', () => {
    const { fire } = given([{ on: 'DriftDetected', monitor: 'delay', cooldownSeconds: 0 }]);
    expect(fire('other')).toEqual([]);
    expect(fire('delay', 0, 'PerformanceDegraded')).toEqual([]);
    expect(fire('delay')).toEqual(['TriggerFired']);
  });

  it('waits for its cooldown, for each monitor apart', () => {
    const { fire } = given([{ on: 'DriftDetected', cooldownSeconds: 60 }]);
    expect(fire('delay')).toEqual(['TriggerFired']);
    expect(fire('delay', 59)).toEqual([]);
    expect(fire('other', 59)).toEqual(['TriggerFired']);
    expect(fire('delay', 60)).toEqual(['TriggerFired']);
  });

  it('does not fire once its pipeline is deleted', () => {
    const { fire, decide } = given([{ on: 'DriftDetected', cooldownSeconds: 0 }]);
    decide({ type: 'DeletePipeline', pipelineId: 'p' });
    expect(fire('delay')).toEqual([]);
  });
});

describe('the steps of a pipeline', () => {
  it.each([
    [[step('a'), step('a')], 'Two steps have the same name'],
    [[step('a', 'b')], 'Step a depends on b, which is no step of this pipeline'],
    [[step('a', 'a')], 'Steps depend on one another in a circle: a'],
    [
      [step('a'), step('b', 'a', 'd'), step('c', 'b'), step('d', 'c')],
      'Steps depend on one another in a circle: b, c, d',
    ],
    [[step('b', 'a'), step('a')], undefined],
  ])('are checked: %#', (steps, fault) => expect(faultOfSteps(steps)).toBe(fault));
});
