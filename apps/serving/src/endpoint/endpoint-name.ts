import type { EndpointNameEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider } from '@mledger/event-log';

/** Which endpoint a name means now; null: none. */
export interface EndpointName {
  readonly endpointId: string | null;
}

export type EndpointNameCommand =
  | { readonly type: 'ClaimName'; readonly endpointId: string; readonly endpoint: string }
  | { readonly type: 'ReleaseName'; readonly endpointId: string; readonly endpoint: string };

export const endpointNameDecider: Decider<EndpointName, EndpointNameCommand, EndpointNameEvent> = {
  kind: 'endpoint-name',
  initial: { endpointId: null },
  decide(state, command) {
    const { endpointId, endpoint } = command;
    switch (command.type) {
      case 'ClaimName':
        if (state.endpointId === endpointId) return accept();
        if (state.endpointId !== null) {
          return refuse('exists', 'ENDPOINT_EXISTS', `there is an endpoint ${endpoint} already`);
        }
        return accept({ type: 'NameClaimed', data: { endpointId, endpoint } });
      case 'ReleaseName':
        if (state.endpointId !== endpointId) {
          return refuse('conflict', 'NAME_NOT_HELD', `the name ${endpoint} means another endpoint`);
        }
        return accept({ type: 'NameReleased', data: { endpointId, endpoint } });
      default:
        return unreachable(command);
    }
  },
  evolve(_state, event) {
    switch (event.type) {
      case 'NameClaimed':
        return { endpointId: event.data.endpointId };
      case 'NameReleased':
        return { endpointId: null };
      default:
        return unreachable(event);
    }
  },
};
