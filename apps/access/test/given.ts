import type { Decider, NewEvent, Recorded, Refusal } from '@mledger/event-log';

/** Given these events, when this command, then these events or this refusal. */
export function given<S, C, E extends NewEvent>(decider: Decider<S, C, E>, events: readonly E[]) {
  const state = events.reduce((now, event) => decider.evolve(now, event as Recorded<E>), decider.initial);
  return {
    when(command: C): { events: readonly E[] } | { refusal: Pick<Refusal, 'kind' | 'code'> } {
      const decision = decider.decide(state, command);
      if ('events' in decision) return { events: decision.events };
      return { refusal: { kind: decision.refusal.kind, code: decision.refusal.code } };
    },
  };
}
