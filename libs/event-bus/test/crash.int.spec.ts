import { eventTopic, TOPICS } from '@mledger/contracts';
import type { EventLog } from '@mledger/event-log';
import { waitFor } from '@mledger/infra';
import { describeWith } from '@mledger/infra/jest';
import { ConfigResourceTypes, Kafka } from 'kafkajs';
import { type EventBus, type Relay, streamPartition } from '../src';
import { echoes, echoReaction, Installation, modelTags, tagModel, tagsOf, upTo } from './installation';
import { Replica } from './processes/replica';
import { inProcessTransport, openKafkaBus, type OwnKafka, startOwnKafka, type Transport } from './transports';

const TOPIC = eventTopic('registry');
const LONG = 60_000;
const AHEAD_MAX = 10;
const MODELS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Many streams, so that every partition of a replica has something to lose. */
async function tagModels(log: EventLog, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) for (const model of MODELS) await tagModel(log, model, [number]);
}

/** Tags the models with 1, 2, 3 … and never runs far ahead of the reactions, until it is stopped; returns the last number. */
function keepTagging(registry: EventLog, serving: EventLog, from = 1): { stop(): Promise<number> } {
  let stopped = false;
  const running = (async () => {
    let last = from - 1;
    const nearEnough = async (): Promise<boolean> =>
      stopped || last - (await echoes(serving, MODELS[0]!)).length <= AHEAD_MAX;
    while (!stopped) {
      await waitFor(nearEnough, { what: 'the reactions to follow', timeoutMs: 2 * LONG });
      await tagModels(registry, [(last += 1)]);
    }
    return last;
  })();
  return {
    stop() {
      stopped = true;
      return running;
    },
  };
}

/** Waits for the last number of every model; that each came once and in order shows that nothing was lost or doubled. */
async function expectEchoes(log: EventLog, last: number, timeoutMs = LONG): Promise<void> {
  for (const model of MODELS) {
    await waitFor(async () => (await echoes(log, model)).length >= last, { what: `the echoes of ${model}`, timeoutMs });
  }
  for (const model of MODELS) expect(await echoes(log, model)).toEqual(upTo(last));
}

describeWith(['kafka'], 'crashes on Kafka', () => {
  let broker: OwnKafka;
  let installation: Installation;
  let bus: EventBus;
  let registry: EventLog;
  let serving: EventLog;
  const replicas: Replica[] = [];

  const transport: Transport = {
    name: 'Kafka',
    start: async () => undefined,
    open: async (id) => openKafkaBus(broker.kafka.brokers, id),
    stop: async () => undefined,
  };
  const startReplica = (environment: Record<string, string>): Replica => {
    const replica = Replica.start({
      DATABASE_URL: installation.database.url,
      KAFKA_BROKERS: broker.kafka.brokers.join(','),
      INSTALLATION: installation.id,
      ...environment,
    });
    replicas.push(replica);
    return replica;
  };

  beforeAll(async () => {
    broker = await startOwnKafka();
  }, 120_000);
  afterAll(() => broker.stop(), 30_000);

  beforeEach(async () => {
    installation = await Installation.open(transport);
    bus = await installation.bus();
    [registry, serving] = [await installation.log('registry'), await installation.log('serving')];
  });
  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.kill()));
    await installation.close();
  });

  it(
    'a broker that dies and comes back while events are published and consumed',
    async () => {
      const relay = await installation.relay('registry', registry, bus);
      const consumer = await installation.consumer({
        service: 'serving',
        log: serving,
        bus,
        reactions: [echoReaction(serving)],
        readModels: [modelTags],
      });
      await tagModels(registry, upTo(5));
      await expectEchoes(serving, 5);
      const tagging = keepTagging(registry, serving, 6);
      await broker.kafka.kill();
      await waitFor(() => relay.status().state === 'failing', { what: 'the relay to notice', timeoutMs: LONG });
      expect(relay.unreadyReason()).toBeUndefined();
      await broker.kafka.restart();
      const written = await tagging.stop();
      await expectEchoes(serving, written);
      await waitFor(() => relay.status().lag === 0 && relay.status().lastError === undefined, { what: 'the relay' });
      await waitFor(async () => (await tagsOf(serving, 'f'))?.count === written, { what: 'the rows', timeoutMs: LONG });
      for (const model of MODELS) expect((await tagsOf(serving, model))!.numbers).toEqual(upTo(written));
      await waitFor(() => consumer.status().every(({ lag }) => lag === 0), { what: 'no lag', timeoutMs: LONG });
    },
    2 * LONG,
  );

  it(
    'a relay that takes over while the broker is away: it tells what waits, and not the whole log',
    async () => {
      const first = await installation.relay('registry', registry, bus);
      await tagModels(registry, upTo(5));
      await waitFor(() => first.status().published === 5 * MODELS.length, { what: 'the first', timeoutMs: LONG });
      const second = await installation.relay('registry', registry, bus);
      await broker.kafka.kill();
      await tagModels(registry, upTo(3));
      await first.stop();
      await waitFor(() => second.status().state !== 'standby', { what: 'the second to take over', timeoutMs: LONG });
      await waitFor(() => second.status().lag === 3 * MODELS.length, { what: 'its lag', timeoutMs: LONG });
      await waitFor(() => second.status().state === 'failing', { what: 'it to notice', timeoutMs: LONG });
      expect(second.status()).toMatchObject({ publishedSeq: 5 * MODELS.length, lag: 3 * MODELS.length });
      await broker.kafka.restart();
      await waitFor(() => second.status().lag === 0, { what: 'no lag', timeoutMs: LONG });
    },
    2 * LONG,
  );

  it(
    'a consumer that is killed in the middle of a batch',
    async () => {
      await installation.relay('registry', registry, bus);
      await tagModels(registry, upTo(40));
      const first = startReplica({ ROLE: 'consumer' });
      await waitFor(() => first.said(/^reacting/) >= 25, { what: 'the first to work', timeoutMs: LONG });
      await first.kill();
      const second = startReplica({ ROLE: 'consumer' });
      await expectEchoes(serving, 40);
      expect(second.said(/^reacting/)).toBeGreaterThan(0);
      expect(first.said(/^reacting/) + second.said(/^reacting/)).toBeGreaterThanOrEqual(40 * MODELS.length);
    },
    2 * LONG,
  );

  it(
    'two replicas that take partitions over from each other',
    async () => {
      await installation.relay('registry', registry, bus);
      const tagging = keepTagging(registry, serving);
      const shares = async (replica: Replica): Promise<unknown> =>
        waitFor(() => replica.said(/^reacting/) >= 5, { what: 'a replica to have its share', timeoutMs: LONG });
      const first = startReplica({ ROLE: 'consumer' });
      await shares(first);
      const second = startReplica({ ROLE: 'consumer' });
      await shares(second);
      const before = [first.said(/^reacting/), second.said(/^reacting/)];
      await waitFor(() => first.said(/^reacting/) > before[0]! && second.said(/^reacting/) > before[1]!, {
        what: 'both to work side by side',
        timeoutMs: LONG,
      });
      await first.kill();
      const third = startReplica({ ROLE: 'consumer' });
      await shares(third);
      await expectEchoes(serving, await tagging.stop());
    },
    3 * LONG,
  );

  it(
    'a replica that is stopped in a transaction, and goes on after another has its partitions',
    async () => {
      await installation.relay('registry', registry, bus);
      await tagModels(registry, upTo(12));
      const first = startReplica({ ROLE: 'consumer', STOP_AT: '8' });
      await waitFor(() => first.said(/^reacting/) === 8, { what: 'the first to stop itself', timeoutMs: LONG });
      const stopped = first.lines.at(-1)!.split(' ')[1]!;
      startReplica({ ROLE: 'consumer' });
      // The group has given it the partitions of the first, which knows nothing of that and holds one of them in its transaction.
      const others = MODELS.filter((model) => streamPartition(`acme/model:${model}`) !== streamPartition(stopped));
      for (const model of others) {
        const done = async () => (await echoes(serving, model)).length === 12;
        await waitFor(done, { what: 'the second to take over', timeoutMs: LONG });
      }
      expect(others.length).toBeGreaterThan(0);
      first.process.kill('SIGCONT');
      await expectEchoes(serving, 12);
    },
    2 * LONG,
  );

  it(
    'a relay that dies after publishing and before it stores its position',
    async () => {
      await tagModels(registry, upTo(10));
      const count = 10 * MODELS.length;
      const dying = startReplica({ ROLE: 'relay', DIE_AFTER_PUBLISH: 'yes' });
      await waitFor(() => !dying.alive, { what: 'the relay to die', timeoutMs: LONG });
      expect(dying.lines).toContain(`published ${count}`);
      const total = async (): Promise<number> =>
        (await bus.ranges(TOPIC)).reduce((sum, { high }) => sum + Number(high), 0);
      expect(await total()).toBe(count);

      const relay = await installation.relay('registry', registry, bus);
      await installation.consumer({ service: 'serving', log: serving, bus, reactions: [echoReaction(serving)] });
      await tagModels(registry, [11]);
      await expectEchoes(serving, 11);
      // It was published again, and handled once.
      await waitFor(async () => (await total()) === 2 * count + MODELS.length, { what: 'the topic' });
      expect(relay.status().published).toBe(count + MODELS.length);
    },
    2 * LONG,
  );

  it(
    'a relay that takes over from one that was killed',
    async () => {
      const first = startReplica({ ROLE: 'relay' });
      await tagModels(registry, upTo(3));
      await waitFor(async () => (await bus.ranges(TOPIC)).some(({ high }) => high !== '0'), {
        what: 'the first to relay',
        timeoutMs: LONG,
      });
      const relay = await installation.relay('registry', registry, bus);
      await first.kill();
      await installation.consumer({ service: 'serving', log: serving, bus, reactions: [echoReaction(serving)] });
      await tagModels(registry, upTo(3, 4));
      await expectEchoes(serving, 6);
      expect(relay.status()).toMatchObject({ state: 'relaying', lastError: undefined });
    },
    2 * LONG,
  );

  it(
    'an event larger than the broker is set up for',
    async () => {
      await setMessageBytesMax(100_000);
      const relay: Relay = await installation.relay('registry', registry, bus);
      await installation.consumer({ service: 'serving', log: serving, bus, reactions: [echoReaction(serving)] });
      await tagModel(registry, 'a', [1, 2]);
      await tagModel(registry, 'a', [3], 'x'.repeat(300_000));
      await tagModel(registry, 'a', [4]);
      await waitFor(() => relay.unreadyReason() !== undefined, { what: 'the relay to stop', timeoutMs: LONG });
      await waitFor(async () => (await echoes(serving, 'a')).length === 2, {
        what: 'those before it',
        timeoutMs: LONG,
      });
      await waitFor(() => /A message of 3\d{5} bytes .* max\.message\.bytes is 100000/.test(relay.unreadyReason()!), {
        what: 'the setting to be named',
        timeoutMs: LONG,
      });
      await waitFor(() => relay.status().lag === 2, { what: 'the fourth to be numbered', timeoutMs: LONG });
      expect(relay.status()).toMatchObject({ state: 'failing', publishedSeq: 2 });
      expect(await echoes(serving, 'a')).toEqual([1, 2]);

      await setMessageBytesMax(5 * 1024 * 1024);
      await waitFor(async () => (await echoes(serving, 'a')).length === 4, { what: 'all four', timeoutMs: LONG });
      expect(await echoes(serving, 'a')).toEqual([1, 2, 3, 4]);
      expect(relay.unreadyReason()).toBeUndefined();
    },
    2 * LONG,
  );

  it('a topic with another number of partitions is refused', async () => {
    const wrong = TOPICS.filter(({ topic }) => topic === TOPIC).map((spec) => ({ ...spec, partitions: 12 }));
    await expect(bus.ensureTopics(wrong)).rejects.toThrow(/has 16 partitions, but must have 12/);
  });

  /** Returns when the broker goes by it: the controller answers before the broker has heard of the change. */
  async function setMessageBytesMax(bytes: number): Promise<void> {
    const admin = new Kafka({ brokers: broker.kafka.brokers }).admin();
    await admin.connect();
    const entry = { name: 'max.message.bytes', value: String(bytes) };
    const topic = { type: ConfigResourceTypes.TOPIC, name: `${installation.id}.${TOPIC}` };
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...topic, configEntries: [entry] }] });
    const isKnown = async (): Promise<boolean> => {
      const described = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ ...topic, configNames: [entry.name] }],
      });
      return described.resources[0]?.configEntries[0]?.configValue === entry.value;
    };
    await waitFor(isKnown, { what: 'the broker to take the setting' });
    await admin.disconnect();
  }
});

describe('crashes of standalone', () => {
  it(
    'kill -9 of everything, in the middle of the work',
    async () => {
      const installation = await Installation.open(inProcessTransport());
      const registry = await installation.log('registry');
      const serving = await installation.log('serving');
      const replicas: Replica[] = [];
      try {
        await tagModels(registry, upTo(60));
        for (let killed = 0; killed < 2; killed += 1) {
          const replica = Replica.start({ ROLE: 'standalone', DATABASE_URL: installation.database.url });
          replicas.push(replica);
          await waitFor(() => replica.said(/^reacting/) >= 50, { what: 'some work', timeoutMs: LONG });
          await replica.kill();
        }
        replicas.push(Replica.start({ ROLE: 'standalone', DATABASE_URL: installation.database.url }));
        await tagModels(registry, upTo(5, 61));
        await expectEchoes(serving, 65);
      } finally {
        await Promise.all(replicas.map((replica) => replica.kill()));
        await installation.close();
      }
    },
    2 * LONG,
  );
});
