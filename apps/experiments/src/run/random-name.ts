import { randomInt } from 'node:crypto';

const ADJECTIVES =
  'able amber bold brave bright calm clear crisp eager early fair fleet fond gentle glad grand keen kind light lively lucky mellow merry mild neat noble proud quick quiet rapid ready sharp silent sleek smart solid steady sunny swift tidy warm wise witty'.split(
    ' ',
  );
const NOUNS =
  'ant bear bee bird carp cat colt crab crane crow deer dove eagle elk falcon finch fish fox frog gnu goat goose hare hawk heron horse ibis jay kite koala lark lion lynx mole moose moth mouse newt otter owl panda perch pony quail raven robin seal shrew skunk sloth snail stork swan tern toad trout vole whale wolf wren yak'.split(
    ' ',
  );

/** A name for what its client did not name, as MLflow makes them: `calm-heron-418`. */
export function randomName(): string {
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${randomInt(1000)}`;
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? '';
}
