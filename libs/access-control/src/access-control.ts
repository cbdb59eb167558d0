import { setTimeout as pause } from 'node:timers/promises';
import type { Role, RouteRule } from '@mledger/contracts';
import { AccessRefused, forbidden, unauthenticated, unknownCaller } from './access-refused';
import { openSecret, secretMatches } from './access-key';
import type { AccessDirectory, DirectoryKey } from './access-directory';
import type { AwsSignature, WireRequest } from './aws-request';
import { credentialOf, type Credential } from './credentials';
import { LOCAL_ADMIN, type Identity } from './identity';
import { refuseForeignOrigin, refuseForeignPages } from './loopback-guard';
import type { MasterKey } from './master-key';
import { impliedRoles, roleSatisfies } from './roles';
import { verifySigV2 } from './sigv2';
import { verifySigV4 } from './sigv4';
import { Tokens, type StepClaims, type StepCredentials, type StepGrant } from './tokens';

export interface AccessOptions {
  /** `open`: loopback only, a request without credentials is the local admin. */
  readonly mode: 'open' | 'keys';
  readonly allowedHosts: readonly string[];
  /** How long a key that nobody knows is waited for: as long as a read waits for its projection, unless it is said. */
  readonly arrivalMsMax?: number;
  /** Whether events of access are known to be missing here, so that nobody can be called unknown. */
  readonly isBehind?: () => Promise<boolean>;
}

const ARRIVAL_MS_MAX = 2_000;
const ARRIVAL_POLL_MS = 100;

/** Finds out who a request is and whether they may: from memory, without asking any other service. */
export class AccessControl {
  private readonly tokens: Tokens;

  constructor(
    private readonly options: AccessOptions,
    private readonly masterKey: MasterKey,
    private readonly directory: AccessDirectory,
    private readonly nowMs: () => number = Date.now,
  ) {
    this.tokens = new Tokens(masterKey);
  }

  /**
   * @returns undefined when the request has no credentials and needs some to be anybody
   * @throws AccessRefused when it contradicts itself, comes from a foreign page, or its credentials do not hold
   */
  async authenticate(request: WireRequest): Promise<Identity | undefined> {
    if (this.options.mode === 'open') refuseForeignPages(request, this.options.allowedHosts);
    const credential = credentialOf(request);
    if (credential.kind === 'none') return this.options.mode === 'open' ? LOCAL_ADMIN : undefined;
    await this.reading(() => this.directory.freshen());
    const untilMs = performance.now() + (this.options.arrivalMsMax ?? ARRIVAL_MS_MAX);
    for (let isFirst = true; ; isFirst = false) {
      try {
        return await this.identify(request, credential);
      } catch (error) {
        // A new key is used in the moment after it was issued, before its event has come over the bus.
        if (!(error instanceof AccessRefused) || !error.unknown) throw error;
        if (!isFirst && performance.now() >= untilMs)
          throw (await this.options.isBehind?.()) ? unavailable(error) : error;
      }
      if (!isFirst) await pause(ARRIVAL_POLL_MS);
      await this.reading(() => this.directory.freshenNow());
    }
  }

  /** @throws AccessRefused unauthenticated when nobody asks, forbidden when they may not */
  authorise(identity: Identity | undefined, rule: Pick<RouteRule, 'role'>): void {
    if (rule.role === 'public') return;
    if (!identity) throw unauthenticated();
    if (!roleSatisfies(identity.roles, rule.role))
      throw forbidden('ROLE_REQUIRED', `this needs the role ${rule.role}, which ${identity.actor} does not hold`);
  }

  /** Why requests with credentials cannot be served yet, or undefined: the events of access have not arrived. */
  async unreadyReason(): Promise<string | undefined> {
    if (this.options.mode === 'open') return undefined;
    await this.reading(() => this.directory.freshen());
    return this.directory.hasTenant('default') ? undefined : 'the access events have not arrived';
  }

  /** A token for a browser or a lakeFS client that logs in with its key; undefined when the key does not hold. */
  async logIn(key: { keyId: string; secret: string }): Promise<{ token: string; expiresAt: number } | undefined> {
    await this.reading(() => this.directory.freshenNow());
    const found = this.directory.key(key.keyId);
    if (!secretMatches(key.secret, found?.secretSha256) || !found) return undefined;
    if (!this.directory.user(found.tenant, found.userId)) return undefined;
    return this.tokens.issueLogin(found, this.nowMs());
  }

  /** What a pipeline's step runs with: short-lived, and less than its definer may at any moment. */
  issueStepCredentials(grant: StepGrant): Promise<StepCredentials> {
    return this.tokens.issueStep(grant, this.nowMs());
  }

  private async reading(look: () => Promise<void>): Promise<void> {
    try {
      await look();
    } catch (error) {
      throw unavailable(error);
    }
  }

  private async identify(request: WireRequest, credential: Exclude<Credential, { kind: 'none' }>): Promise<Identity> {
    switch (credential.kind) {
      case 'key': {
        // Browsers remember a password and send it along, whoever's page asks.
        if (credential.byBrowser) refuseForeignOrigin(request, this.options.allowedHosts);
        const key = this.directory.key(credential.keyId);
        const matches = secretMatches(credential.secret, key?.secretSha256);
        if (!key) throw unknownCaller();
        if (!matches) throw unauthenticated();
        return this.holderOf(key);
      }
      case 'token':
        if (credential.byCookie) refuseForeignOrigin(request, this.options.allowedHosts);
        return this.identifyToken(credential.token);
      case 'sigv4':
        return this.identifyAws(credential.claim, (secret) =>
          verifySigV4(request, credential.claim, secret, this.nowMs()),
        );
      case 'sigv2':
        return this.identifyAws(credential.claim, (secret) =>
          verifySigV2(request, credential.claim, secret, this.nowMs()),
        );
    }
  }

  private async identifyToken(token: string): Promise<Identity> {
    const claims = await this.tokens.verify(token, this.nowMs());
    if (claims.aud === 'step') return this.stepIdentity(claims);
    const key = this.directory.key(claims.key);
    if (!key) throw unknownCaller();
    if (key.tenant !== claims.tenant || key.userId !== claims.sub) throw unauthenticated();
    return this.holderOf(key);
  }

  private async identifyAws(
    claim: { accessKeyId: string; sessionToken?: string },
    verify: (secret: string) => AwsSignature,
  ): Promise<Identity> {
    if (claim.sessionToken !== undefined) return this.identifyTemporary(claim.accessKeyId, claim.sessionToken, verify);
    const key = this.directory.key(claim.accessKeyId);
    if (!key)
      throw new AccessRefused(
        'forbidden',
        'UNKNOWN_KEY',
        'The AWS access key Id you provided does not exist in our records.',
        'InvalidAccessKeyId',
        true,
      );
    const aws = verify(openSecret(this.masterKey, key));
    return { ...this.holderOf(key), aws };
  }

  private async identifyTemporary(accessKeyId: string, sessionToken: string, verify: (secret: string) => AwsSignature) {
    const claims = await this.tokens.verify(sessionToken, this.nowMs());
    if (claims.aud !== 'step') throw unauthenticated();
    const temporary = this.tokens.temporaryKey(claims.jti);
    if (temporary.accessKeyId !== accessKeyId) throw unauthenticated();
    return { ...this.stepIdentity(claims), aws: verify(temporary.secretAccessKey) };
  }

  private holderOf(key: DirectoryKey): Identity {
    const user = this.directory.user(key.tenant, key.userId);
    if (!user) throw unknownCaller();
    const { tenant, userId, roles } = user;
    return { tenant, actor: `user:${userId}`, roles, userId, keyId: key.keyId };
  }

  private stepIdentity(claims: StepClaims): Identity {
    const { tenant, sub: actor, correlation, cause } = claims;
    return { tenant, actor, roles: this.rolesOfStep(claims), correlation, cause };
  }

  /** What the token grants, as far as its definer still holds it. */
  private rolesOfStep(claims: StepClaims): readonly Role[] {
    if (claims.definer === LOCAL_ADMIN.actor && this.options.mode === 'open') return claims.roles;
    const definer = this.directory.user(claims.tenant, claims.definer.replace(/^user:/, ''));
    if (!definer) throw unknownCaller();
    return impliedRoles(claims.roles).filter((role) => roleSatisfies(definer.roles, role));
  }
}

function unavailable(cause: unknown): AccessRefused {
  const message = 'credentials cannot be checked now: try again';
  const refused = new AccessRefused('unavailable', 'ACCESS_UNAVAILABLE', message, 'ServiceUnavailable');
  refused.cause = cause;
  return refused;
}
