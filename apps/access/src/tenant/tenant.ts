import type { TenantEvent } from '@mledger/contracts';
import { accept, refuse, unreachable, type Decider, type Decision, type Recorded } from '@mledger/event-log';

export type TenantCommand =
  | { readonly type: 'CreateTenant'; readonly tenantId: string }
  | { readonly type: 'CloseTenant'; readonly tenantId: string; readonly reason: string }
  | { readonly type: 'CompleteSetup'; readonly tenantId: string; readonly keyId: string };

export interface TenantState {
  readonly status: 'absent' | 'open' | 'closed';
  readonly setUp: boolean;
}

const TENANT_ID = /^[a-z0-9][a-z0-9-]{1,38}$/;
/** Without these two nothing works: one is where everybody begins, the other manages the rest. */
const LASTING = ['default', 'system'];

function decide(state: TenantState, command: TenantCommand): Decision<TenantEvent> {
  const { tenantId } = command;
  switch (command.type) {
    case 'CreateTenant':
      if (!TENANT_ID.test(tenantId))
        return refuse(
          'invalid',
          'INVALID_TENANT_ID',
          'a tenant id has 2 to 39 of a-z, 0-9 and "-", and does not begin with "-"',
        );
      if (state.status === 'open') return refuse('exists', 'TENANT_EXISTS', `tenant ${tenantId} exists`);
      if (state.status === 'closed')
        return refuse(
          'exists',
          'TENANT_ID_USED',
          `tenant ${tenantId} is closed, and its id is never used again: choose another`,
        );
      return accept({ type: 'TenantCreated', data: { tenantId } });
    case 'CloseTenant':
      if (LASTING.includes(tenantId)) return refuse('forbidden', 'TENANT_LASTS', `tenant ${tenantId} cannot be closed`);
      if (state.status === 'absent') return refuse('not-found', 'TENANT_NOT_FOUND', `there is no tenant ${tenantId}`);
      if (state.status === 'closed') return accept();
      return accept({ type: 'TenantClosed', data: { tenantId, reason: command.reason } });
    case 'CompleteSetup':
      if (state.status !== 'open') return refuse('not-found', 'TENANT_NOT_FOUND', `there is no tenant ${tenantId}`);
      if (state.setUp) return refuse('exists', 'ALREADY_SET_UP', 'lakeFS already initialized');
      return accept({ type: 'SetupCompleted', data: { tenantId, keyId: command.keyId } });
    default:
      return unreachable(command);
  }
}

function evolve(state: TenantState, event: Recorded<TenantEvent>): TenantState {
  switch (event.type) {
    case 'TenantCreated':
      return { status: 'open', setUp: false };
    case 'TenantClosed':
      return { ...state, status: 'closed' };
    case 'SetupCompleted':
      return { ...state, setUp: true };
    default:
      return unreachable(event);
  }
}

export const tenantDecider: Decider<TenantState, TenantCommand, TenantEvent> = {
  kind: 'tenant',
  initial: { status: 'absent', setUp: false },
  decide,
  evolve,
};
