import type { KeyEvent } from '@mledger/contracts';
import { given } from '../../test/given';
import { keyDecider } from './key';

const data = { keyId: 'K', userId: 'u1', secretSha256: 'ab'.repeat(32), sealedSecret: 'v1.a.b' };
const issued: KeyEvent = { type: 'KeyIssued', data };
const revoked: KeyEvent = { type: 'KeyRevoked', data: { keyId: 'K', userId: 'u1', reason: 'lost' } };
const key = (...events: KeyEvent[]) => given(keyDecider, events);

describe('a key', () => {
  it('is issued once, and never again under its id', () => {
    const issue = { type: 'IssueKey', ...data } as const;
    expect(key().when(issue)).toEqual({ events: [issued] });
    expect(key(issued).when(issue)).toEqual({ refusal: { kind: 'exists', code: 'KEY_EXISTS' } });
    expect(key(issued, revoked).when(issue)).toEqual({ refusal: { kind: 'exists', code: 'KEY_EXISTS' } });
  });

  it('is revoked once, for ever', () => {
    const revoke = { type: 'RevokeKey', keyId: 'K', reason: 'lost' } as const;
    expect(key(issued).when(revoke)).toEqual({ events: [revoked] });
    expect(key(issued, revoked).when(revoke)).toEqual({ events: [] });
    expect(key().when(revoke)).toEqual({ refusal: { kind: 'not-found', code: 'KEY_NOT_FOUND' } });
  });
});
