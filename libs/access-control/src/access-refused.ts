/** Why a request may not go on: it contradicts itself, it is nobody's, its owner may not, or we cannot tell now. */
export type AccessRefusal = 'bad-request' | 'unauthenticated' | 'forbidden' | 'unavailable';

/**
 * A request that is refused before anything of it is read or done. The message never says which part of a
 * credential was wrong.
 */
export class AccessRefused extends Error {
  constructor(
    readonly refusal: AccessRefusal,
    /** Upper snake case, stable. */
    readonly code: string,
    message: string,
    /** The code S3 clients know this refusal by, where it is not AccessDenied. */
    readonly s3Code?: string,
    /** Whether the directory lacks who is meant: the event that makes them known may be on its way. */
    readonly unknown = false,
  ) {
    super(message);
    this.name = 'AccessRefused';
  }
}

export const badRequest = (code: string, message: string, s3Code = 'InvalidRequest'): AccessRefused =>
  new AccessRefused('bad-request', code, message, s3Code);

export const unauthenticated = (code = 'UNAUTHENTICATED', message = 'error authenticating request'): AccessRefused =>
  new AccessRefused('unauthenticated', code, message);

/** Looks to the caller like a wrong secret. */
export const unknownCaller = (): AccessRefused =>
  new AccessRefused('unauthenticated', 'UNAUTHENTICATED', 'error authenticating request', undefined, true);

export const forbidden = (code: string, message: string, s3Code = 'AccessDenied'): AccessRefused =>
  new AccessRefused('forbidden', code, message, s3Code);
