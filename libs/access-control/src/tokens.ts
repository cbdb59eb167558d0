import { createHmac, randomUUID } from 'node:crypto';
import { ROLES, type Role } from '@mledger/contracts';
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { unauthenticated } from './access-refused';
import type { MasterKey } from './master-key';

const ISSUER = 'mledger';
export const LOGIN_TOKEN_SECONDS = 7 * 24 * 60 * 60;

const loginClaims = z.object({ aud: z.literal('login'), sub: z.string(), tenant: z.string(), key: z.string() });
const stepClaims = z.object({
  aud: z.literal('step'),
  sub: z.string(),
  tenant: z.string(),
  jti: z.string(),
  roles: z.array(z.enum(ROLES)),
  definer: z.string(),
  correlation: z.string(),
  cause: z.string(),
});
const claims = z.discriminatedUnion('aud', [loginClaims, stepClaims]);

/** What a token of ours says, once its signature and its time are verified. */
export type TokenClaims = z.output<typeof claims>;
export type StepClaims = z.output<typeof stepClaims>;

/** What a pipeline step acts as: its own actor, with the roles of who defined the pipeline. */
export interface StepGrant {
  readonly tenant: string;
  /** `pipeline:<id>`, or of one of its runs. */
  readonly actor: string;
  readonly roles: readonly Role[];
  /** Actor who defined the pipeline: a role they lose, the step loses. */
  readonly definer: string;
  readonly correlation: string;
  readonly cause: string;
  readonly lifetimeSeconds: number;
}

/** One token for MLflow and lakeFS, and temporary S3 credentials that carry the same token. */
export interface StepCredentials {
  readonly token: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** Makes and reads our JWTs: HS256, with a key derived from the master key. */
export class Tokens {
  constructor(private readonly masterKey: MasterKey) {}

  /** Says "who holds this key" for seven days, or until the key is revoked. */
  async issueLogin(login: { tenant: string; userId: string; keyId: string }, nowMs: number) {
    const expiresAt = Math.floor(nowMs / 1000) + LOGIN_TOKEN_SECONDS;
    const token = await this.sign({ tenant: login.tenant, key: login.keyId }, login.userId, 'login', nowMs, expiresAt);
    return { token, expiresAt };
  }

  /** @param nowMs when the credentials begin to hold, as the service's clock has it */
  async issueStep(grant: StepGrant, nowMs: number): Promise<StepCredentials> {
    const jti = randomUUID();
    const expiresAt = Math.floor(nowMs / 1000) + grant.lifetimeSeconds;
    const { tenant, roles, definer, correlation, cause } = grant;
    const body = { jti, tenant, roles, definer, correlation, cause };
    const token = await this.sign(body, grant.actor, 'step', nowMs, expiresAt);
    return { token, sessionToken: token, expiresAt, ...this.temporaryKey(jti) };
  }

  /** The S3 key that belongs to a step's token: computed from its id, kept nowhere. */
  temporaryKey(jti: string): { accessKeyId: string; secretAccessKey: string } {
    const mac = (label: string) => createHmac('sha256', this.masterKey.keyFor('step-s3')).update(`${label}:${jti}`);
    const id = mac('id').digest('hex').toUpperCase().slice(0, 15);
    return { accessKeyId: `ASIAJ${id}`, secretAccessKey: mac('secret').digest('base64').slice(0, 40) };
  }

  /** @throws AccessRefused when the token is not ours, was altered, or is out of date */
  async verify(token: string, nowMs: number): Promise<TokenClaims> {
    try {
      const { payload } = await jwtVerify(token, this.masterKey.keyFor('jwt'), {
        algorithms: ['HS256'],
        issuer: ISSUER,
        requiredClaims: ['exp', 'aud', 'sub'],
        currentDate: new Date(nowMs),
      });
      return claims.parse(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof z.ZodError) throw unauthenticated();
      throw error;
    }
  }

  private sign(body: object, subject: string, audience: string, nowMs: number, expiresAt: number): Promise<string> {
    return new SignJWT({ ...body })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt(Math.floor(nowMs / 1000))
      .setExpirationTime(expiresAt)
      .sign(this.masterKey.keyFor('jwt'));
  }
}
