import { StreamTurns } from './stream-turns';

/** Work that says when it begins, and ends when it is told to. */
function held(name: string, begun: string[]) {
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const work = async () => {
    begun.push(name);
    await ended;
    return name;
  };
  return { work, end };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('lets the second of a stream wait, and what is about other streams go on', async () => {
  const turns = new StreamTurns();
  const begun: string[] = [];
  const [first, second, other] = [held('first', begun), held('second', begun), held('other', begun)];
  const results = [turns.take(['a'], first.work), turns.take(['a', 'b'], second.work), turns.take(['c'], other.work)];
  await settled();
  expect(begun).toEqual(['first', 'other']);
  for (const { end } of [other, second, first]) end();
  expect(await Promise.all(results)).toEqual(['first', 'second', 'other']);
});

it('goes on after work that failed, and gives its error to whom it belongs', async () => {
  const turns = new StreamTurns();
  const failing = turns.take(['a'], () => Promise.reject(new Error('refused')));
  const next = turns.take(['a'], async () => 'done');
  await expect(failing).rejects.toThrow('refused');
  expect(await next).toBe('done');
});

it('waits for every stream that it names, whoever came there before', async () => {
  const turns = new StreamTurns();
  const begun: string[] = [];
  const [a, b] = [held('a', begun), held('b', begun)];
  const both = held('both', begun);
  const results = [turns.take(['a'], a.work), turns.take(['b'], b.work), turns.take(['b', 'a'], both.work)];
  a.end();
  await settled();
  expect(begun).toEqual(['a', 'b']);
  b.end();
  both.end();
  expect(await Promise.all(results)).toEqual(['a', 'b', 'both']);
});
