import type { ModelNameEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision } from '@mledger/event-log';

/** Who a name belongs to now; the stream outlives its holders, so a name may be claimed again. */
export interface ModelNameState {
  readonly modelId: string | null;
}

export type ModelNameCommand =
  | { readonly type: 'ClaimName'; readonly model: string; readonly modelId: string }
  | { readonly type: 'ReleaseName'; readonly model: string; readonly modelId: string };

function decide(state: ModelNameState, command: ModelNameCommand): Decision<ModelNameEvent> {
  const { model, modelId } = command;
  switch (command.type) {
    case 'ClaimName':
      if (state.modelId !== null) {
        return refuse('exists', 'MODEL_EXISTS', `Registered Model (name=${model}) already exists.`);
      }
      return accept({ type: 'NameClaimed', data: { modelId, model } });
    case 'ReleaseName':
      if (state.modelId !== modelId) {
        return refuse('not-found', 'MODEL_NOT_FOUND', `Registered Model with name=${model} not found`);
      }
      return accept({ type: 'NameReleased', data: { modelId, model } });
    default:
      return unreachable(command);
  }
}

export const modelNameDecider: Decider<ModelNameState, ModelNameCommand, ModelNameEvent> = {
  kind: 'model-name',
  initial: { modelId: null },
  decide,
  evolve: (_state, event) => ({ modelId: event.type === 'NameClaimed' ? event.data.modelId : null }),
};
