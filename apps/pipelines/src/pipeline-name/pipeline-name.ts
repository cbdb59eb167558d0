import type { PipelineNameEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision } from '@mledger/event-log';

/** Who a name belongs to now; the stream outlives its holders, so a name may be claimed again. */
export interface PipelineNameState {
  readonly pipelineId: string | null;
}

export type PipelineNameCommand =
  | { readonly type: 'ClaimName'; readonly pipeline: string; readonly pipelineId: string }
  | { readonly type: 'ReleaseName'; readonly pipeline: string; readonly pipelineId: string };

function decide(state: PipelineNameState, command: PipelineNameCommand): Decision<PipelineNameEvent> {
  const { pipeline, pipelineId } = command;
  switch (command.type) {
    case 'ClaimName':
      if (state.pipelineId === pipelineId) return accept();
      if (state.pipelineId !== null) {
        return refuse(
          'conflict',
          'PIPELINE_EXISTS',
          `Pipeline ${pipeline} was defined by somebody else just now: look, then try again`,
        );
      }
      return accept({ type: 'NameClaimed', data: { pipelineId, pipeline } });
    case 'ReleaseName':
      if (state.pipelineId !== pipelineId)
        return refuse('not-found', 'PIPELINE_NOT_FOUND', `There is no pipeline ${pipeline}`);
      return accept({ type: 'NameReleased', data: { pipelineId, pipeline } });
    default:
      return unreachable(command);
  }
}

export const pipelineNameDecider: Decider<PipelineNameState, PipelineNameCommand, PipelineNameEvent> = {
  kind: 'pipeline-name',
  initial: { pipelineId: null },
  decide,
  evolve: (_state, event) => ({ pipelineId: event.type === 'NameClaimed' ? event.data.pipelineId : null }),
};
