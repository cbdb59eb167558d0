import type { ExperimentsEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision, type Recorded } from '@mledger/event-log';

export type ExperimentNameEvent = Extract<ExperimentsEvent, { type: 'NameClaimed' | 'NameReleased' }>;

export interface ExperimentNameState {
  readonly holder?: string;
}

export type ExperimentNameCommand =
  | { readonly type: 'ClaimName'; readonly name: string; readonly experimentId: string }
  | { readonly type: 'ReleaseName'; readonly name: string; readonly experimentId: string };

function decide(state: ExperimentNameState, command: ExperimentNameCommand): Decision<ExperimentNameEvent> {
  const { name, experimentId } = command;
  switch (command.type) {
    case 'ClaimName':
      // A deleted experiment keeps its name, so that restoring it can never fail.
      if (state.holder !== undefined) {
        return refuse('exists', 'EXPERIMENT_NAME_TAKEN', `Experiment(name=${name}) already exists.`);
      }
      return accept({ type: 'NameClaimed', data: { name, experimentId } });
    case 'ReleaseName':
      if (state.holder !== experimentId) return accept();
      return accept({ type: 'NameReleased', data: { name, experimentId } });
    default:
      return unreachable(command);
  }
}

function evolve(_state: ExperimentNameState, event: Recorded<ExperimentNameEvent>): ExperimentNameState {
  return event.type === 'NameClaimed' ? { holder: event.data.experimentId } : {};
}

/** Who holds a name in its tenant; a stream of its own, appended together with the experiment's. */
export const experimentNameDecider: Decider<ExperimentNameState, ExperimentNameCommand, ExperimentNameEvent> = {
  kind: 'experiment-name',
  initial: {},
  decide,
  evolve,
};
