import { SignJWT } from 'jose';
import { MasterKey } from './master-key';
import { Tokens } from './tokens';

const NOW_MS = Date.parse('2026-11-23T10:00:00Z');
const { key: masterKey } = MasterKey.generate();
const tokens = new Tokens(masterKey);
const GRANT = {
  tenant: 'acme',
  actor: 'pipeline:p1',
  roles: ['contributor'] as const,
  definer: 'user:u1',
  correlation: 'c1',
  cause: 'e1',
  lifetimeSeconds: 60,
};

describe('our tokens', () => {
  it('say who logged in, for seven days', async () => {
    const { token, expiresAt } = await tokens.issueLogin({ tenant: 'acme', userId: 'u1', keyId: 'k1' }, NOW_MS);
    expect(expiresAt).toBe(NOW_MS / 1000 + 7 * 24 * 3600);
    expect(await tokens.verify(token, NOW_MS)).toEqual({ aud: 'login', sub: 'u1', tenant: 'acme', key: 'k1' });
    await expect(tokens.verify(token, expiresAt * 1000 + 1000)).rejects.toMatchObject({ refusal: 'unauthenticated' });
  });

  it('carry a step’s correlation, and the S3 key that belongs to it', async () => {
    const credentials = await tokens.issueStep(GRANT, NOW_MS);
    const claims = await tokens.verify(credentials.sessionToken, NOW_MS);
    expect(claims).toMatchObject({ aud: 'step', sub: 'pipeline:p1', correlation: 'c1', roles: ['contributor'] });
    expect(claims.aud === 'step' && tokens.temporaryKey(claims.jti)).toMatchObject({
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
    });
    expect(credentials.accessKeyId).toMatch(/^ASIAJ[0-9A-F]{15}$/);
    const other = await tokens.issueStep(GRANT, NOW_MS);
    expect(other.secretAccessKey).not.toBe(credentials.secretAccessKey);
  });

  it.each([
    [
      'of another installation',
      () => new Tokens(MasterKey.generate().key).issueStep(GRANT, NOW_MS).then((c) => c.token),
    ],
    [
      'without a signature',
      async () => `${(await tokens.issueStep(GRANT, NOW_MS)).token.split('.').slice(0, 2).join('.')}.`,
    ],
    ['with other claims', async () => withRoles((await tokens.issueStep(GRANT, NOW_MS)).token)],
    ['of another issuer', () => signed({ aud: 'login', sub: 'u', tenant: 'acme', key: 'k', iss: 'someone' })],
    ['without an end', () => signed({ aud: 'login', sub: 'u', tenant: 'acme', key: 'k', iss: 'mledger' })],
    ['for another use', () => signed({ aud: 'else', sub: 'u', tenant: 'acme', key: 'k', iss: 'mledger', exp: 9e9 })],
    ['that is nonsense', async () => 'a.b.c'],
  ])('are refused %s', async (_name, make) => {
    await expect(tokens.verify(await make(), NOW_MS)).rejects.toMatchObject({ refusal: 'unauthenticated' });
  });
});

function signed(claims: Record<string, unknown>): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(masterKey.keyFor('jwt'));
}

function withRoles(token: string): string {
  const [head, body, signature] = token.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  const altered = Buffer.from(JSON.stringify({ ...claims, roles: ['admin'] })).toString('base64url');
  return [head, altered, signature].join('.');
}
