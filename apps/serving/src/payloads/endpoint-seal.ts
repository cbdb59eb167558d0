import type { EndpointSealEvent } from '@mledger/contracts';
import { accept, type Decider } from '@mledger/event-log';

export interface SealCommand {
  readonly type: 'SealPredictions';
  readonly seal: EndpointSealEvent['data'];
}

/** The seals of an endpoint, on a stream of their own: they are many, and nobody decides anything on them. */
export const endpointSealDecider: Decider<{ readonly sealed: number }, SealCommand, EndpointSealEvent> = {
  kind: 'endpoint-seal',
  initial: { sealed: 0 },
  decide: (_state, { seal }) => accept({ type: 'PredictionsSealed', data: seal }),
  evolve: (state, event) => ({ sealed: state.sealed + event.data.count }),
};
