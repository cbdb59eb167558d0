import { randomUUID } from 'node:crypto';
import { waitFor } from '@mledger/infra';
import { PAYLOADS_TOPIC, TOPICS } from '@mledger/contracts';
import type { BusMessage, BusSubscription, EventBus, MessageBatch, ReceivedMessage } from '../src';
import type { Transport } from './transports';

const payloadsTopic = TOPICS.filter(({ topic }) => topic === PAYLOADS_TOPIC);

const message = (key: string, text: string): BusMessage => ({
  key,
  headers: { kind: 'test', n: text },
  value: Buffer.from(text),
});
const numbered = (key: string, from: number, count: number): BusMessage[] =>
  Array.from({ length: count }, (_, i) => message(key, String(from + i)));
const texts = (messages: readonly ReceivedMessage[], key: string): string[] =>
  messages.filter((m) => m.key === key).map(({ value }) => value.toString());

/** What every transport must do with a topic that is no log; the same tests for each. */
export function busSuite(transport: Transport): void {
  let installation: string;
  let bus: EventBus;
  const subscriptions: BusSubscription[] = [];

  /** Subscribes a group that keeps its offsets as a database would. */
  async function collect(options: {
    group?: string;
    fail?(batch: MessageBatch): void;
    offsets?: Map<number, string>;
    bus?: EventBus;
  }) {
    const received: ReceivedMessage[] = [];
    const offsets = options.offsets ?? new Map<number, string>();
    const subscription = await (options.bus ?? bus).subscribe({
      group: options.group ?? `group-${randomUUID()}`,
      topics: [PAYLOADS_TOPIC],
      async handle(batch) {
        options.fail?.(batch);
        received.push(...batch.messages);
        offsets.set(batch.partition, String(BigInt(batch.messages.at(-1)!.offset) + 1n));
      },
      startFrom: async ({ partition }) => offsets.get(partition),
    });
    subscriptions.push(subscription);
    return { received, offsets, subscription };
  }

  beforeEach(async () => {
    installation = randomUUID();
    bus = await transport.open(installation);
    await bus.ensureTopics(payloadsTopic);
  });

  afterEach(async () => {
    await Promise.all(subscriptions.splice(0).map((subscription) => subscription.stop()));
    await bus.close();
  });

  it('delivers what was published before and after subscribing, whole and in order of the key', async () => {
    await bus.publish(PAYLOADS_TOPIC, [...numbered('a', 0, 50), ...numbered('b', 0, 50)]);
    const { received, subscription } = await collect({});
    await waitFor(() => received.length === 100, { what: 'the first hundred' });
    await Promise.all([
      bus.publish(PAYLOADS_TOPIC, numbered('a', 50, 50)),
      bus.publish(PAYLOADS_TOPIC, numbered('b', 50, 50)),
    ]);
    await waitFor(() => received.length === 200, { what: 'the second hundred' });
    for (const key of ['a', 'b'])
      expect(texts(received, key)).toEqual(numbered(key, 0, 100).map(({ headers }) => headers['n']));
    expect(received[0]).toMatchObject({ topic: PAYLOADS_TOPIC, headers: { kind: 'test' }, offset: expect.any(String) });
    await waitFor(() => subscription.status().lag === 0 && subscription.status().caughtUp, { what: 'no lag' });
  });

  it('carries any bytes and any text', async () => {
    const value = Buffer.from([0, 255, 10, 13, 128]);
    const odd: BusMessage = { key: 'clé/ключ "1"', headers: { x: 'ü – \u{1F600}', empty: '' }, value };
    await bus.publish(PAYLOADS_TOPIC, [odd, { key: 'empty', headers: {}, value: Buffer.alloc(0) }]);
    const { received } = await collect({});
    await waitFor(() => received.length === 2, { what: 'both messages' });
    expect(received.find(({ key }) => key === odd.key)).toMatchObject({ headers: odd.headers, value });
    expect(received.find(({ key }) => key === 'empty')!.value).toHaveLength(0);
  });

  it('brings a batch again until it is handled, and meanwhile nothing after it', async () => {
    await bus.publish(PAYLOADS_TOPIC, numbered('a', 0, 10));
    let failures = 0;
    const { received } = await collect({
      fail() {
        failures += 1;
        if (failures <= 3) throw new TypeError('not yet');
      },
    });
    await bus.publish(PAYLOADS_TOPIC, numbered('a', 10, 10));
    await waitFor(() => received.length === 20, { what: 'all after three failures' });
    expect(texts(received, 'a')).toEqual(numbered('a', 0, 20).map(({ headers }) => headers['n']));
  });

  it('goes on where the stored offsets say, whatever the transport remembers', async () => {
    await bus.publish(PAYLOADS_TOPIC, numbered('a', 0, 20));
    const group = `group-${randomUUID()}`;
    const first = await collect({ group });
    await waitFor(() => first.received.length === 20, { what: 'all' });
    await first.subscription.stop();
    expect(first.subscription.status().state).toBe('stopped');

    const next = await collect({ group, offsets: new Map(first.offsets) });
    await bus.publish(PAYLOADS_TOPIC, numbered('a', 20, 5));
    await waitFor(() => next.received.length === 5, { what: 'only what is new' });
    expect(texts(next.received, 'a')).toEqual(['20', '21', '22', '23', '24']);
    await next.subscription.stop();

    const { partition, offset } = first.received[10]!;
    const back = await collect({ group, offsets: new Map([[partition, offset]]) });
    await waitFor(() => back.received.length === 15, { what: 'from the middle on' });
    expect(texts(back.received, 'a')[0]).toBe('10');
  });

  it('begins at the oldest when the stored offset lies beyond the end, of a topic that was made anew', async () => {
    await bus.publish(PAYLOADS_TOPIC, numbered('a', 0, 3));
    const probe = await collect({});
    await waitFor(() => probe.received.length === 3, { what: 'the messages' });
    const seen: string[] = [];
    const received: ReceivedMessage[] = [];
    subscriptions.push(
      await bus.subscribe({
        group: `group-${randomUUID()}`,
        topics: [PAYLOADS_TOPIC],
        handle: async ({ messages }) => void received.push(...messages),
        async startFrom({ partition, low, high }) {
          if (partition === probe.received[0]!.partition) seen.push(low, high);
          return BigInt(high) < 1000n ? undefined : '1000';
        },
      }),
    );
    await waitFor(() => received.length === 3, { what: 'all from the oldest' });
    expect(seen).toEqual(['0', '3']);
  });

  it('shares a topic between processes, and its end', async () => {
    const other = await transport.open(installation);
    try {
      await bus.publish(PAYLOADS_TOPIC, numbered('a', 0, 7));
      const ranges = await other.ranges(PAYLOADS_TOPIC);
      const total = ranges.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
      expect(total).toBe(7);
      const { received } = await collect({ bus: other });
      await waitFor(() => received.length === 7, { what: 'what the other published' });
    } finally {
      await Promise.all(subscriptions.splice(0).map((subscription) => subscription.stop()));
      await other.close();
    }
  });

  it('knows what waits for a group, whoever holds it', async () => {
    const other = await transport.open(installation);
    try {
      const group = `group-${randomUUID()}`;
      let isStuck = false;
      const fail = () => {
        if (isStuck) throw new Error('not yet');
      };
      const here = await collect({ group, fail });
      const there = await collect({ group, fail, bus: other });
      const lagsAre = (wanted: number) =>
        waitFor(
          async () => {
            const lags = await Promise.all([here, there].map(({ subscription }) => subscription.groupLag()));
            return lags.every((lag) => lag === wanted);
          },
          { what: `a lag of ${wanted}, seen from either` },
        );
      const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
      const publish = () =>
        bus.publish(
          PAYLOADS_TOPIC,
          keys.map((key) => message(key, '0')),
        );
      await publish();
      await lagsAre(0);
      isStuck = true;
      await publish();
      await lagsAre(40);
      isStuck = false;
      await lagsAre(0);
    } finally {
      await Promise.all(subscriptions.splice(0).map((subscription) => subscription.stop()));
      await other.close();
    }
  });

  it('carries the largest message that the contracts allow', async () => {
    const large = { key: 'large', headers: {}, value: Buffer.alloc(4 * 1024 * 1024 + 100_000, 'x') };
    await bus.publish(PAYLOADS_TOPIC, [message('a', '0'), large, large, message('a', '1')]);
    const { received } = await collect({});
    await waitFor(() => received.length === 4, { what: 'all four' });
    expect(received.filter(({ value }) => value.equals(large.value))).toHaveLength(2);
  });

  it('publishes from many callers at once, each in its order', async () => {
    const { received } = await collect({});
    const callers = Array.from({ length: 40 }, (_, caller) =>
      (async () => {
        for (let i = 0; i < 10; i += 1) await bus.publish(PAYLOADS_TOPIC, [message(`c${caller}`, String(i))]);
      })(),
    );
    await Promise.all(callers);
    await waitFor(() => received.length === 400, { what: 'all four hundred' });
    for (let caller = 0; caller < 40; caller += 1) {
      expect(texts(received, `c${caller}`)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    }
  });

  it('refuses a topic that does not exist', async () => {
    await expect(bus.publish('mledger.nowhere', [message('a', '0')])).rejects.toThrow();
  });
}
