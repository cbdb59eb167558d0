import { refused } from '../repository/refusals';

/** One step from a ref: `~N` along first parents, `^N` to the Nth parent, `@` a branch's commit, `$` a branch with what is staged. */
export type RefModifier =
  | { readonly type: 'ancestor'; readonly count: number }
  | { readonly type: 'parent'; readonly number: number }
  | { readonly type: 'committed' }
  | { readonly type: 'staged' };

export interface RefExpression {
  readonly base: string;
  readonly modifiers: readonly RefModifier[];
}

export const REF_BYTES_MAX = 1024;
const MODIFIER = /([~^])(\d*)|([@$])/y;
const COUNT_MAX = 1_000_000;

/**
 * Reads `base` followed by modifiers, the lakeFS grammar. `@` and `$` stand alone and take no digits.
 * @throws CommandRefused `invalid`
 */
export function parseRef(text: string): RefExpression {
  if (text === '' || Buffer.byteLength(text) > REF_BYTES_MAX) throw invalidRef(text);
  const at = text.search(/[~^@$]/);
  if (at === 0) throw invalidRef(text);
  if (at < 0) return { base: text, modifiers: [] };
  const modifiers: RefModifier[] = [];
  MODIFIER.lastIndex = at;
  while (MODIFIER.lastIndex < text.length) {
    const match = MODIFIER.exec(text);
    if (!match) throw invalidRef(text);
    modifiers.push(modifierOf(match, text));
  }
  const isAlone = modifiers.length === 1;
  if (!isAlone && modifiers.some(({ type }) => type === 'committed' || type === 'staged')) throw invalidRef(text);
  return { base: text.slice(0, at), modifiers };
}

function modifierOf([, step, digits = '', mark]: RegExpExecArray, text: string): RefModifier {
  if (mark !== undefined) return { type: mark === '@' ? 'committed' : 'staged' };
  const count = digits === '' ? 1 : Number(digits);
  if (count > COUNT_MAX) throw invalidRef(text);
  return step === '~' ? { type: 'ancestor', count } : { type: 'parent', number: count };
}

function invalidRef(text: string) {
  return refused('invalid', 'INVALID_REF', `invalid ref ${JSON.stringify(text.slice(0, 80))}`);
}
