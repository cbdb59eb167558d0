import { eventTopic } from '@mledger/contracts';
import type { EventLog, Sequenced } from '@mledger/event-log';
import { waitFor } from '@mledger/infra';
import { type EventBus, streamPartition, toCloudEvent } from '../src';
import { echoes, echoReaction, Installation, modelTags, tagModel, tagsOf, upTo } from './installation';
import { inProcessTransport, type Transport } from './transports';

const TOPIC = eventTopic('registry');

/** What can happen only where a topic and the log are two things. */
export function kafkaSuite(transport: Transport): void {
  let installation: Installation;
  let registry: EventLog;
  let serving: EventLog;

  beforeEach(async () => {
    installation = await Installation.open(transport);
    [registry, serving] = [await installation.log('registry'), await installation.log('serving')];
  });
  afterEach(() => installation.close());

  const consume = (bus: EventBus) =>
    installation.consumer({
      service: 'serving',
      log: serving,
      bus,
      reactions: [echoReaction(serving)],
      readModels: [modelTags],
    });
  const expectTags = async (model: string, numbers: readonly number[]): Promise<void> => {
    await waitFor(async () => (await tagsOf(serving, model))?.count === numbers.length, {
      what: `the rows of ${model}`,
    });
    await waitFor(async () => (await echoes(serving, model)).length === numbers.length, {
      what: `the echoes of ${model}`,
    });
    expect((await tagsOf(serving, model))!.numbers).toEqual(numbers);
    expect(await echoes(serving, model)).toEqual(numbers);
  };

  it('pauses a partition at a schema of a newer release, and lets the others flow', async () => {
    const bus = await installation.bus();
    const consumer = await consume(bus);
    const event = (model: string, seq: number, schema = 1): Sequenced => ({
      id: `00000000-0000-5000-8000-00000000000${seq}`,
      stream: `acme/model:${model}`,
      version: 1,
      seq,
      type: 'ModelTagged',
      schema,
      time: '2026-11-23T08:00:00.000Z',
      tenant: 'acme',
      actor: 'user:ann',
      cause: 'test',
      correlation: 'loop-1',
      data: { tag: { key: 'n', value: String(seq) } },
    });
    const other = 'bcdefgh'
      .split('')
      .find((model) => streamPartition(`acme/model:${model}`) !== streamPartition('acme/model:a'))!;
    await bus.publish(
      TOPIC,
      [event('a', 1), event('a', 2, 99), event('a', 3), event(other, 4)].map((one) => toCloudEvent('registry', one)),
    );
    await expectTags(other, [4]);
    await expectTags('a', [1]);
    await waitFor(() => consumer.status().every(({ waiting }) => waiting.length === 1), {
      what: 'both handlers to wait',
    });
    expect(consumer.status()[0]!.waiting[0]!.error.message).toMatch(/ModelTagged has schema 99/);
    expect(await consumer.parked.list({ limit: 1 })).toEqual([]);
  });

  it('parks what is no CloudEvent, and handles what follows it', async () => {
    const bus = await installation.bus();
    const consumer = await consume(bus);
    await bus.publish(TOPIC, [{ key: 'acme/model:a', headers: { note: 'by hand' }, value: Buffer.from('hello') }]);
    await tagModel(registry, 'a', upTo(3));
    await installation.relay('registry', registry, bus);
    await expectTags('a', upTo(3));
    const parked = await consumer.parked.list({ limit: 10 });
    expect(parked).toHaveLength(2);
    expect(parked[0]).toMatchObject({
      tenant: '',
      stream: null,
      reason: expect.stringMatching(/ce_specversion is missing/),
    });
    for (const { id } of parked) {
      expect(await consumer.parked.replay(id)).toMatchObject({ replayed: 0, failed: { id, tries: 6 } });
      expect(await consumer.parked.discard(id)).toEqual({ replayed: 0 });
    }
    expect(await consumer.parked.counts()).toEqual(new Map());
  });

  it('does nothing twice when an installation moves from standalone to a cluster, and back, and rebuilds on the way', async () => {
    const standalone = inProcessTransport();
    for (const [round, place] of [standalone, transport, standalone].entries()) {
      const bus = await place.open(installation.id);
      await installation.ensureTopics(bus);
      const relay = await installation.relay('registry', registry, bus);
      const consumer = await consume(bus);
      for (const model of ['a', 'b', 'c']) await tagModel(registry, model, upTo(5, round * 5 + 1));
      for (const model of ['a', 'b', 'c']) await expectTags(model, upTo((round + 1) * 5));
      await consumer.rebuild('model_tags');
      for (const model of ['a', 'b', 'c']) await expectTags(model, upTo((round + 1) * 5));
      await consumer.stop();
      await relay.stop();
      await bus.close();
    }
  });

  it('remembers no group that has taken a partition over and handled nothing', async () => {
    const bus = await installation.bus();
    const relay = await installation.relay('registry', registry, bus);
    await tagModel(registry, 'a', [1]);
    for (const attempt of ['first', 'second']) {
      const remembered: boolean[] = [];
      let failures = 0;
      const subscription = await bus.subscribe({
        group: 'never-done',
        topics: [TOPIC],
        async startFrom(place) {
          remembered.push(place.remembered);
          return undefined;
        },
        async handle() {
          failures += 1;
          throw new Error('not yet');
        },
      });
      await waitFor(() => failures > 0, { what: `the ${attempt} attempt` });
      await subscription.stop();
      expect(new Set(remembered)).toEqual(new Set([false]));
    }
    await relay.stop();
  });

  it('publishes the whole log again to a Kafka that has lost it', async () => {
    const bus = await installation.bus();
    const relay = await installation.relay('registry', registry, bus);
    const consumer = await consume(bus);
    await tagModel(registry, 'a', upTo(5));
    await expectTags('a', upTo(5));
    await consumer.stop();
    await relay.stop();

    // Twice what was handled, published before the consumer is there: the stored offset means another event in this topic.
    const empty = await transport.open(`${installation.id}-anew`);
    await installation.ensureTopics(empty);
    const again = await installation.relay('registry', registry, empty);
    await tagModel(registry, 'a', upTo(7, 6));
    await waitFor(() => again.status().published === 12, { what: 'the whole log' });
    // As if duplicates had made the lost topic longer than its events.
    await serving.dataSource.query('update consumer_offsets set next_offset = next_offset + 3 where next_offset > 0');
    const next = await consume(empty);
    await expectTags('a', upTo(12));
    await next.stop();
    await again.stop();
    await empty.close();
  });
}
