/**
 * Which keys and names MLflow's clients may use. The rules are MLflow's own (its `utils/validation.py`), so that
 * what its server takes is taken here, and what it refuses is refused.
 */

export const KEY_CHARACTERS_MAX = 250;

/** Slashes, letters and digits of any script, `_`, `.`, `-`, space and `:`: what Python's `[/\w.\- :]*` matches. */
const KEY = /^[/\p{L}\p{N}_.\- :]*$/u;
const RUN_ID = /^[a-zA-Z0-9][\w-]{0,255}$/;
const LOGGED_MODEL_ID = /^m-[0-9a-f]{32}$/;

/** Counts characters as Python does: one for each code point, not for each UTF-16 unit. */
export function characterCount(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index++) {
    if (isHighSurrogate(text.charCodeAt(index))) count--;
  }
  return count;
}

/** The first `charactersMax` code points, so that no surrogate pair is ever split. */
export function truncateCharacters(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  let end = 0;
  for (let count = 0; count < charactersMax && end < text.length; count++) {
    end += isHighSurrogate(text.charCodeAt(end)) ? 2 : 1;
  }
  return text.slice(0, end);
}

/**
 * Why a param, metric or tag key is refused, or undefined when it is fine. Keys may become file names in a client's
 * local store, so they must equal their normalised path.
 */
export function keyFault(key: string): string | undefined {
  if (characterCount(key) > KEY_CHARACTERS_MAX)
    return `it exceeds the maximum length of ${KEY_CHARACTERS_MAX} characters`;
  if (!KEY.test(key)) {
    return 'names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colons (:) and slashes (/)';
  }
  const unlikePath =
    key.startsWith('..') || key.split('/').some((part) => part === '' || part === '.' || part === '..');
  return unlikePath ? 'names may be treated as files, and this one would resolve to another name' : undefined;
}

export function isRunId(id: string): boolean {
  return RUN_ID.test(id);
}

export function isLoggedModelId(id: string): boolean {
  return LOGGED_MODEL_ID.test(id);
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
