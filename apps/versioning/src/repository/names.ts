import type { CommandRefused } from '@mledger/event-log';
import { refused } from './refusals';

const REPOSITORY = /^[a-z0-9][a-z0-9-]{2,62}$/;
const BRANCH = /^\w[-\w]*$/;
/** lakeFS has no bound; ours keeps a branch's name and a path in one index entry of Postgres. */
export const REF_NAME_BYTES_MAX = 255;
export const PATH_BYTES_MAX = 1024;

/** The lakeFS rule. @throws CommandRefused `invalid` */
export function assertRepositoryName(name: string): void {
  if (!REPOSITORY.test(name)) {
    throw invalidName('repository', name, '3 to 63 of a-z, 0-9 and -, not beginning with -');
  }
}

/** The lakeFS rule: ASCII letters, digits, `_` and `-`; no dot, no slash. @throws CommandRefused `invalid` */
export function assertBranchName(name: string): void {
  if (!isBranchName(name)) {
    throw invalidName('branch', name, `up to ${REF_NAME_BYTES_MAX} letters, digits, _ and -, not beginning with -`);
  }
}

export function isBranchName(name: string): boolean {
  return BRANCH.test(name) && name.length <= REF_NAME_BYTES_MAX;
}

/** The lakeFS rule, which is git's for a ref without slashes. @throws CommandRefused `invalid` */
export function assertTagName(name: string): void {
  const isWrong =
    name === '' ||
    name === '@' ||
    Buffer.byteLength(name) > REF_NAME_BYTES_MAX ||
    /\.$|\.lock$|\.\.|\/|@\{/.test(name) ||
    // Spaces, control characters, and what ref expressions and globs are made of.
    /[\u0000-\u0020\u007f^:?*[\\]/.test(name);
  if (isWrong) throw invalidName('tag', name, `up to ${REF_NAME_BYTES_MAX} bytes, as git would allow, without slashes`);
}

/**
 * 1 to 1,024 bytes, taken as they are: `..` is an odd name and no way to another place, since no path of a user reaches
 * the object store. @throws CommandRefused `invalid`
 */
export function assertPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes < 1 || bytes > PATH_BYTES_MAX || path.includes('\0') || /\p{Surrogate}/u.test(path)) {
    throw invalidName('path', path, `1 to ${PATH_BYTES_MAX} bytes of UTF-8 without NUL`);
  }
}

function invalidName(what: string, name: string, rule: string): CommandRefused {
  const shown = JSON.stringify(name.slice(0, 80));
  return refused('invalid', 'INVALID_NAME', `invalid ${what} ${shown}: it must be ${rule}`);
}
