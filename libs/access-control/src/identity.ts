import type { Role } from '@mledger/contracts';
import type { AwsSignature } from './aws-request';

/** Who a request acts as, once it is verified. */
export interface Identity {
  readonly tenant: string;
  /** `user:<id>`, or `pipeline:<id>` for a step. Two keys of one user are one actor. */
  readonly actor: string;
  readonly roles: readonly Role[];
  readonly userId?: string;
  readonly keyId?: string;
  /** Of a pipeline step: what its events are part of. */
  readonly correlation?: string;
  readonly cause?: string;
  /** Of an AWS-signed request: what is left to verify while its body is read. */
  readonly aws?: AwsSignature;
}

/** Who a request without credentials is in open mode. */
export const LOCAL_ADMIN: Identity = { tenant: 'default', actor: 'user:local', roles: ['admin'] };
