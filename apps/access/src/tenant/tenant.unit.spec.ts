import type { TenantEvent } from '@mledger/contracts';
import { given } from '../../test/given';
import { tenantDecider } from './tenant';

const tenantId = 'acme';
const created: TenantEvent = { type: 'TenantCreated', data: { tenantId } };
const closed: TenantEvent = { type: 'TenantClosed', data: { tenantId, reason: 'over' } };
const setUp: TenantEvent = { type: 'SetupCompleted', data: { tenantId, keyId: 'K' } };
const tenant = (...events: TenantEvent[]) => given(tenantDecider, events);

describe('a tenant', () => {
  it('is created once, and its id is never used again', () => {
    const create = { type: 'CreateTenant', tenantId } as const;
    expect(tenant().when(create)).toEqual({ events: [created] });
    expect(tenant(created).when(create)).toEqual({ refusal: { kind: 'exists', code: 'TENANT_EXISTS' } });
    expect(tenant(created, closed).when(create)).toEqual({ refusal: { kind: 'exists', code: 'TENANT_ID_USED' } });
  });

  it.each(['', 'a', 'Acme', '-acme', 'a/b', 'a'.repeat(40), 'ac me', '../etc'])('is refused the id %j', (id) => {
    expect(tenant().when({ type: 'CreateTenant', tenantId: id })).toEqual({
      refusal: { kind: 'invalid', code: 'INVALID_TENANT_ID' },
    });
  });

  it('is closed once, unless everything depends on it', () => {
    const close = { type: 'CloseTenant', tenantId, reason: 'over' } as const;
    expect(tenant(created).when(close)).toEqual({ events: [closed] });
    expect(tenant(created, closed).when(close)).toEqual({ events: [] });
    expect(tenant().when(close)).toEqual({ refusal: { kind: 'not-found', code: 'TENANT_NOT_FOUND' } });
    for (const lasting of ['default', 'system'])
      expect(tenant(created).when({ ...close, tenantId: lasting })).toEqual({
        refusal: { kind: 'forbidden', code: 'TENANT_LASTS' },
      });
  });

  it('is set up once, while it is open', () => {
    const complete = { type: 'CompleteSetup', tenantId, keyId: 'K' } as const;
    expect(tenant(created).when(complete)).toEqual({ events: [setUp] });
    expect(tenant(created, setUp).when(complete)).toEqual({ refusal: { kind: 'exists', code: 'ALREADY_SET_UP' } });
    expect(tenant(created, closed).when(complete)).toMatchObject({ refusal: { kind: 'not-found' } });
  });
});
