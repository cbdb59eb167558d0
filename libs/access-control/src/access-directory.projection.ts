import { ROLES, type AccessEvent } from '@mledger/contracts';
import type { ReadModel } from '@mledger/event-bus';
import { unreachable, type Projection, type Recorded, type RowChange } from '@mledger/event-log';
import { AccessDirectoryRow } from './access-directory.entity';

type Row = AccessDirectoryRow;
type Change = RowChange<Row>;

const EMPTY = { active: true, roles: '', user_id: '', secret_sha256: '', sealed_secret: '', set_up: false };

const TYPES: readonly AccessEvent['type'][] = [
  'TenantCreated',
  'TenantClosed',
  'SetupCompleted',
  'UserCreated',
  'RoleGranted',
  'RoleRevoked',
  'UserRemoved',
  'KeyIssued',
  'KeyRevoked',
];

function project(recorded: Recorded): Change[] {
  const event = recorded as Recorded<AccessEvent>;
  switch (event.type) {
    case 'TenantCreated':
      return [{ put: newRow(event, 'tenant', event.data.tenantId) }];
    case 'TenantClosed':
      return [change(event, 'tenant', event.data.tenantId, (row) => ({ ...row, active: false }))];
    case 'SetupCompleted':
      return [change(event, 'tenant', event.data.tenantId, (row) => ({ ...row, set_up: true }))];
    case 'UserCreated':
      return [{ put: newRow(event, 'user', event.data.userId) }];
    case 'RoleGranted': {
      const { userId, role } = event.data;
      return [
        change(event, 'user', userId, (row) => ({ ...row, roles: withRoles(row.roles, (held) => held.add(role)) })),
      ];
    }
    case 'RoleRevoked': {
      const { userId, role } = event.data;
      return [
        change(event, 'user', userId, (row) => ({ ...row, roles: withRoles(row.roles, (held) => held.delete(role)) })),
      ];
    }
    case 'UserRemoved':
      return [change(event, 'user', event.data.userId, (row) => ({ ...row, active: false, roles: '' }))];
    case 'KeyIssued': {
      const { keyId, userId, secretSha256, sealedSecret } = event.data;
      const secret = { user_id: userId, secret_sha256: secretSha256, sealed_secret: sealedSecret };
      return [{ put: { ...newRow(event, 'key', keyId), ...secret } }];
    }
    case 'KeyRevoked':
      return [change(event, 'key', event.data.keyId, (row) => ({ ...row, active: false }))];
    default:
      return unreachable(event);
  }
}

function newRow(event: Recorded, kind: Row['kind'], id: string): Row {
  return { ...EMPTY, tenant: event.tenant, kind, id, version: event.version, created_at: event.time };
}

function change(event: Recorded, kind: Row['kind'], id: string, by: (row: Row) => Row): Change {
  return {
    change: { tenant: event.tenant, kind, id },
    by: (row) => (row === undefined || row.version >= event.version ? row : { ...by(row), version: event.version }),
  };
}

function withRoles(text: string, alter: (held: Set<string>) => void): string {
  const held = new Set(text === '' ? [] : text.split(','));
  alter(held);
  return ROLES.filter((role) => held.has(role)).join(',');
}

/** For the access service itself: in the transaction of the event. */
export const accessDirectoryProjection: Projection<Row> = {
  name: 'access_directory',
  mode: 'inline',
  entity: AccessDirectoryRow,
  types: TYPES,
  project,
};

/** For every other service: from the events that it hears. */
export const accessDirectoryReadModel: ReadModel<Row> = {
  ...accessDirectoryProjection,
  mode: 'async',
  from: ['access'],
};
