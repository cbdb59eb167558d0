import { LOCAL_ADMIN } from '@mledger/access-control';
import type { VerifyReport } from '@mledger/event-log';
import type { Caller } from './edge/caller';
import { verifyReportFor } from './verify-report';

const callerOf = (tenant: string, actor = 'user:1') => ({ tenant, actor }) as Caller;
const changed: VerifyReport = {
  service: 'registry',
  ok: false,
  fault: {
    kind: 'event-changed',
    message: 'acme/model:churn version 2 (seq 7) is not the event that was appended',
    seq: 7,
    stream: 'acme/model:churn',
    version: 2,
  },
  verifiedSeq: 6,
  events: 6,
  checkpoints: 1,
  otherKeys: 0,
};

describe('what a report tells its caller', () => {
  it('tells all to the admins of tenant system, and to whoever sits at an open machine', () => {
    expect(verifyReportFor(callerOf('system'), changed)).toEqual(changed);
    expect(verifyReportFor(callerOf(LOCAL_ADMIN.tenant, LOCAL_ADMIN.actor), changed)).toEqual(changed);
  });

  it('names to a tenant what is wrong with its own streams, and counts nobody else’s events', () => {
    const { events: _events, ...told } = changed;
    expect(verifyReportFor(callerOf('acme'), changed)).toEqual(told);
  });

  it('says of another tenant’s stream only that something is wrong', () => {
    const told = verifyReportFor(callerOf('acm'), changed);
    expect(told).toMatchObject({ ok: false, fault: { kind: 'event-changed' } });
    expect(JSON.stringify(told)).not.toMatch(/acme|churn/);
  });

  it('names to everybody what is wrong with the log as a whole', () => {
    const fault = { kind: 'tail-cut', seq: 8, message: 'the log ends at seq 7' } as const;
    expect(verifyReportFor(callerOf('acme'), { ...changed, fault })).toMatchObject({ fault });
  });
});
