import { startTestService, type TestService } from '@mledger/service-kit/testing';
import { accessService } from '../src/access.definition';

const SYSTEM = { keyId: 'AKIAJSYSTEMKEY000000Q', secret: 'system-secret-system-secret-system-sec' };

interface Key {
  readonly userId: string;
  readonly keyId: string;
  readonly secret: string;
}

const authorization = ({ keyId, secret }: Pick<Key, 'keyId' | 'secret'>) => `Bearer ${keyId}.${secret}`;

describe('the last admin of a tenant who has a key', () => {
  let test: TestService;
  beforeAll(async () => {
    test = await startTestService(accessService, {
      env: {
        MLEDGER_AUTH: 'keys',
        MLEDGER_SYSTEM_ACCESS_KEY_ID: SYSTEM.keyId,
        MLEDGER_SYSTEM_SECRET_ACCESS_KEY: SYSTEM.secret,
      },
    });
  });
  afterAll(() => test.stop());

  const call = async (
    as: Pick<Key, 'keyId' | 'secret'>,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload?: object,
  ) => {
    const answer = await test.inject({ method, url, headers: { authorization: authorization(as) }, payload });
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
  };
  const own = (path: string) => `/api/mledger/v1/${path}`;
  const lakefs = (path: string) => `/api/v1/auth/users/${path}`;

  let tenants = 0;
  /** A tenant and its first admin, `ann`. */
  const newTenant = async (): Promise<{ tenantId: string; admin: Key }> => {
    const tenantId = `lasting-${(tenants += 1)}`;
    const { status, body } = await call(SYSTEM, 'POST', own('tenants'), { tenantId, adminName: 'ann' });
    expect(status).toBe(201);
    return { tenantId, admin: body };
  };
  const newAdmin = async (by: Key, name: string): Promise<Key> => {
    const { userId } = (await call(by, 'POST', own('users'), { name, roles: ['admin'] })).body;
    return { ...(await call(by, 'POST', own('keys'), { userId })).body };
  };

  it.each([
    ['is not removed', (admin: Key) => ['DELETE', own(`users/${admin.userId}`)] as const],
    ['keeps the role', (admin: Key) => ['PUT', own(`users/${admin.userId}/roles`), { roles: ['reader'] }] as const],
    ['keeps the key', (admin: Key) => ['DELETE', own(`keys/${admin.keyId}`)] as const],
  ])('%s', async (_case, loss) => {
    const { tenantId, admin } = await newTenant();
    // Neither somebody with a key who is no admin, nor an admin without a key, can let anybody in.
    const reader = (await call(admin, 'POST', own('users'), { name: 'rea', roles: ['reader'] })).body;
    expect((await call(admin, 'POST', own('keys'), { userId: reader.userId })).status).toBe(201);
    const keyless = (await call(admin, 'POST', own('users'), { name: 'kim', roles: ['admin'] })).body;
    const [method, url, body] = loss(admin);
    expect(await call(admin, method, url, body)).toMatchObject({
      status: 409,
      body: { code: 'LAST_ADMIN', detail: expect.stringContaining(`tenant ${tenantId}`) },
    });
    expect((await call(admin, 'GET', own('users/') + admin.userId)).body).toMatchObject({
      name: 'ann',
      roles: ['admin'],
    });
    // With a second one it is nobody's business.
    expect((await call(admin, 'POST', own('keys'), { userId: keyless.userId })).status).toBe(201);
    expect([200, 204]).toContain((await call(admin, method, url, body)).status);
  });

  it('is told so in lakeFS’s form too', async () => {
    const { admin } = await newTenant();
    for (const path of ['ann', `ann/credentials/${admin.keyId}`]) {
      expect(await call(admin, 'DELETE', lakefs(path))).toEqual({
        status: 409,
        body: { message: expect.stringContaining('issue another one, or make another admin with one, first') },
      });
    }
    expect((await call(admin, 'GET', lakefs('ann'))).status).toBe(200);
  });

  it('may lose one of several keys, and whoever is no admin may be removed', async () => {
    const { admin } = await newTenant();
    const second = (await call(admin, 'POST', own('keys'), {})).body;
    expect((await call(admin, 'DELETE', own(`keys/${admin.keyId}`))).status).toBe(204);
    expect((await call(second, 'DELETE', own(`keys/${second.keyId}`))).status).toBe(409);
    const { userId } = (await call(second, 'POST', own('users'), { name: 'rea', roles: ['reader'] })).body;
    expect((await call(second, 'PUT', own(`users/${userId}/roles`), { roles: [] })).status).toBe(200);
    expect((await call(second, 'DELETE', own(`users/${userId}`))).status).toBe(204);
  });

  it('is one of two who take each other’s place at the same moment', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { admin } = await newTenant();
      const bob = await newAdmin(admin, 'bob');
      const answers = await Promise.all([
        call(admin, 'DELETE', own(`users/${bob.userId}`)),
        round % 2 === 0
          ? call(bob, 'DELETE', own(`keys/${admin.keyId}`))
          : call(bob, 'PUT', own(`users/${admin.userId}/roles`), { roles: [] }),
      ]);
      const lost = answers.filter(({ status }) => status === 200 || status === 204);
      expect(lost).toHaveLength(1);
    }
  });
});
