import { type BusMessage, MessageTooLarge } from './event-bus';
import { SendQueue } from './send-queue';

const KIB = 1024;
const message = (key: string, bytes = 10): BusMessage => ({ key, headers: {}, value: Buffer.alloc(bytes) });
const keys = (messages: readonly BusMessage[]): string => messages.map(({ key }) => key).join(' ');

/** Records what is sent; each send ends when the test says so. */
function heldSender() {
  const sent: string[] = [];
  const ends: { resolve(): void; reject(error: Error): void }[] = [];
  const queue = new SendQueue((messages) => {
    sent.push(keys(messages));
    return new Promise((resolve, reject) => ends.push({ resolve, reject }));
  });
  return { sent, ends, queue };
}

describe('the queue before a transport', () => {
  it('sends one batch at a time, and what came meanwhile together', async () => {
    const { queue, sent, ends } = heldSender();
    const first = queue.push([message('a')]);
    const others = [queue.push([message('b'), message('c')]), queue.push([message('d')])];
    expect(sent).toEqual(['a']);
    ends[0]!.resolve();
    await first;
    expect(sent).toEqual(['a', 'b c d']);
    ends[1]!.resolve();
    await Promise.all(others);
    await queue.idle();
  });

  it('keeps batches small, in order, and lets a large message travel alone', async () => {
    const sent: string[] = [];
    const queue = new SendQueue(async (messages) => void sent.push(keys(messages)));
    await queue.push([
      message('a', 600 * KIB),
      message('b', 300 * KIB),
      message('c', 200 * KIB),
      message('d', 3_000 * KIB),
      message('e'),
    ]);
    expect(sent).toEqual(['a b', 'c', 'd', 'e']);
  });

  it('fails the callers whose messages were in the batch, and goes on with the next', async () => {
    const { queue, sent, ends } = heldSender();
    const first = queue.push([message('a')]);
    const second = queue.push([message('b')]);
    ends[0]!.reject(new Error('broker away'));
    await expect(first).rejects.toThrow('broker away');
    expect(sent).toEqual(['a', 'b']);
    ends[1]!.resolve();
    await second;
  });

  it("does not fail a caller for a neighbour's message that is too large", async () => {
    const sent: string[] = [];
    const queue = new SendQueue(async (messages) => {
      sent.push(keys(messages));
      if (messages.some(({ key }) => key === 'big')) throw new MessageTooLarge('too large');
    });
    const results = await Promise.allSettled(['a', 'b', 'big', 'c'].map((key) => queue.push([message(key)])));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(sent).toEqual(['a', 'b big c', 'b', 'big', 'c']);
  });

  it('serves a caller that waits for each message before it sends the next', async () => {
    const sent: string[] = [];
    const queue = new SendQueue(async (messages) => void sent.push(keys(messages)));
    for (const key of ['a', 'b', 'c']) await queue.push([message(key)]);
    await queue.idle();
    expect(sent).toEqual(['a', 'b', 'c']);
  });

  it('has nothing to do for no messages', async () => {
    const { queue, sent } = heldSender();
    await queue.push([]);
    expect(sent).toEqual([]);
  });
});
