import type { Reaction } from '@mledger/event-bus';
import { logContext } from '../request-context';
import type { Tracing } from './tracing';

/** The same reaction, with its event's correlation in every log line, and a span where traces are made. */
export function observedReaction(reaction: Reaction, tracing: Tracing | undefined): Reaction {
  const react: Reaction['react'] = (event, manager) => {
    const { tenant, actor, correlation, traceparent } = event;
    const work = () => reaction.react(event, manager);
    return logContext.run({ tenant, actor, correlation, traceparent }, () =>
      tracing ? tracing.reaction(reaction.name, event, work) : work(),
    );
  };
  const { name, from, on, neverPark } = reaction;
  return { name, from, on, neverPark, react };
}
