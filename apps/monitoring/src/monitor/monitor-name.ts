import type { MonitorNameEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider } from '@mledger/event-log';

/** Which monitor a name means now; null: none. */
export interface MonitorName {
  readonly monitorId: string | null;
}

export type MonitorNameCommand =
  | { readonly type: 'ClaimName'; readonly monitorId: string; readonly monitor: string }
  | { readonly type: 'ReleaseName'; readonly monitorId: string; readonly monitor: string };

export const monitorNameDecider: Decider<MonitorName, MonitorNameCommand, MonitorNameEvent> = {
  kind: 'monitor-name',
  initial: { monitorId: null },
  decide(state, command) {
    const { monitorId, monitor } = command;
    switch (command.type) {
      case 'ClaimName':
        if (state.monitorId === monitorId) return accept();
        if (state.monitorId !== null) {
          return refuse(
            'exists',
            'MONITOR_EXISTS',
            `monitor ${monitor} was made a moment ago: send your request again`,
          );
        }
        return accept({ type: 'NameClaimed', data: { monitorId, monitor } });
      case 'ReleaseName':
        if (state.monitorId !== monitorId) {
          return refuse('conflict', 'NAME_NOT_HELD', `the name ${monitor} means another monitor`);
        }
        return accept({ type: 'NameReleased', data: { monitorId, monitor } });
      default:
        return unreachable(command);
    }
  },
  evolve(_state, event) {
    switch (event.type) {
      case 'NameClaimed':
        return { monitorId: event.data.monitorId };
      case 'NameReleased':
        return { monitorId: null };
      default:
        return unreachable(event);
    }
  },
};
