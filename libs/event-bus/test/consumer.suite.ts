import { PAYLOADS_TOPIC } from '@mledger/contracts';
import type { EventLog } from '@mledger/event-log';
import { waitFor } from '@mledger/infra';
import type { EntityManager } from 'typeorm';
import { type Consumer, type EventBus, EVERY_TYPE, type Relay, type SubscribeOptions, TransientFailure } from '../src';
import { echoes, echoReaction, Installation, modelTags, tagModel, tagsOf, upTo } from './installation';
import type { Transport } from './transports';

/** What consumers promise, on any transport: registry's log is read by serving. */
export function consumerSuite(transport: Transport): void {
  let installation: Installation;
  let bus: EventBus;
  let registry: EventLog;
  let serving: EventLog;

  beforeEach(async () => {
    installation = await Installation.open(transport);
    bus = await installation.bus();
    [registry, serving] = [await installation.log('registry'), await installation.log('serving')];
  });
  afterEach(() => installation.close());

  const start = (options: Partial<Parameters<Installation['consumer']>[0]>): Promise<Consumer> =>
    installation.consumer({ service: 'serving', log: serving, bus, ...options });
  const relay = (): Promise<Relay> => installation.relay('registry', registry, bus);
  const echoed = (model: string, count: number): Promise<unknown> =>
    waitFor(async () => (await echoes(serving, model)).length >= count, { what: `${count} echoes of ${model}` });

  it('reacts to each event once and in order, and builds the same rows, also for events before the start', async () => {
    await tagModel(registry, 'a', upTo(30));
    await relay();
    const consumer = await start({ reactions: [echoReaction(serving)], readModels: [modelTags] });
    await tagModel(registry, 'a', upTo(30, 31));
    await tagModel(registry, 'b', upTo(5));
    await echoed('a', 60);
    await echoed('b', 5);
    expect(await echoes(serving, 'a')).toEqual(upTo(60));
    expect(await echoes(serving, 'b')).toEqual(upTo(5));
    await waitFor(async () => (await tagsOf(serving, 'a'))?.count === 60 && (await tagsOf(serving, 'b'))?.count === 5, {
      what: 'the rows',
    });
    expect((await tagsOf(serving, 'a'))!.numbers).toEqual(upTo(60));
    await waitFor(() => consumer.status().every(({ lag, caughtUp }) => lag === 0 && caughtUp), { what: 'no lag' });
    expect(consumer.status().map(({ consumer: id, handled }) => [id, handled])).toEqual([
      ['echo-when-model-tagged', 65],
      ['model_tags', 65],
    ]);
    expect(consumer.unreadyReasons()).toEqual([]);
  });

  it('goes on where it stopped, and a new reaction begins at the first event on its own', async () => {
    await relay();
    const first = await start({ reactions: [echoReaction(serving)] });
    await tagModel(registry, 'a', upTo(10));
    await echoed('a', 10);
    await first.stop();
    await tagModel(registry, 'a', upTo(10, 11));
    const late: number[] = [];
    await start({
      reactions: [
        echoReaction(serving),
        echoReaction(serving, {
          name: 'count-when-model-tagged',
          react: async ({ data }) => void late.push(Number((data as { tag: { value: string } }).tag.value)),
        }),
      ],
    });
    await echoed('a', 20);
    await waitFor(() => late.length === 20, { what: 'the new reaction to catch up' });
    expect(late).toEqual(upTo(20));
    expect(await echoes(serving, 'a')).toEqual(upTo(20));
  });

  it('tries again for ever while the surroundings fail, and passes nothing over', async () => {
    await relay();
    let away = true;
    const echo = echoReaction(serving);
    const consumer = await start({
      reactions: [
        {
          ...echo,
          async react(event, manager) {
            await echo.react(event, manager);
            if (away) throw new TransientFailure('the model store is away');
          },
        },
      ],
    });
    await tagModel(registry, 'a', upTo(5));
    await waitFor(() => consumer.status()[0]!.failed >= 4, { what: 'some failures' });
    expect(consumer.status()[0]!.waiting[0]!.error.message).toBe('the model store is away');
    expect(await echoes(serving, 'a')).toEqual([]);
    away = false;
    await echoed('a', 5);
    expect(await echoes(serving, 'a')).toEqual(upTo(5));
    expect(await consumer.parked.list({ limit: 10 })).toEqual([]);
    await waitFor(() => consumer.status()[0]!.waiting.length === 0, { what: 'nothing to wait' });
  });

  it('parks a poison event after five tries, and what follows in its stream; the others flow', async () => {
    await relay();
    const poison = new Set(['3']);
    const tries = new Map<string, number>();
    const echo = echoReaction(serving);
    const consumer = await start({
      reactions: [
        {
          ...echo,
          async react(event, manager) {
            const { value } = (event.data as { tag: { value: string } }).tag;
            tries.set(value, (tries.get(value) ?? 0) + 1);
            await echo.react(event, manager);
            if (event.stream === 'acme/model:a' && poison.has(value)) throw new TypeError(`cannot digest ${value}`);
          },
        },
      ],
    });
    await tagModel(registry, 'a', upTo(5));
    await tagModel(registry, 'b', upTo(2));
    await echoed('b', 2);
    await waitFor(async () => (await consumer.parked.list({ limit: 10 })).length === 3, { what: 'three parked' });
    expect(tries.get('3')).toBe(5);
    expect(await echoes(serving, 'a')).toEqual([1, 2]);
    const parked = await consumer.parked.list({ limit: 10 });
    expect(
      parked.map(({ tries: count, reason, stream, type, tenant }) => ({ count, reason, stream, type, tenant })),
    ).toEqual(
      [
        'TypeError: cannot digest 3',
        'waits behind an earlier event of its stream',
        'waits behind an earlier event of its stream',
      ].map((reason, i) => ({
        count: i === 0 ? 5 : 0,
        reason,
        stream: 'acme/model:a',
        type: 'ModelTagged',
        tenant: 'acme',
      })),
    );
    expect(await consumer.parked.counts()).toEqual(new Map([['echo-when-model-tagged', 3]]));
    expect(await consumer.parked.list({ limit: 10, tenant: 'other' })).toEqual([]);
    expect(await consumer.parked.list({ limit: 10, after: parked[1]!.id })).toHaveLength(1);

    // It fails again: nothing moves. An id in the middle means its stream, from the first on.
    expect(await consumer.parked.replay(parked[2]!.id)).toMatchObject({
      replayed: 0,
      failed: { id: parked[0]!.id, tries: 6 },
    });
    poison.clear();
    expect(await consumer.parked.replay(parked[0]!.id)).toEqual({ replayed: 3 });
    await tagModel(registry, 'a', [6]);
    await echoed('a', 6);
    expect(await echoes(serving, 'a')).toEqual(upTo(6));
    expect(await consumer.parked.list({ limit: 10 })).toEqual([]);
    await expect(consumer.parked.replay(parked[0]!.id)).rejects.toMatchObject({ refusal: { kind: 'not-found' } });
  });

  it('lets a stream go on when its poison event is discarded', async () => {
    await relay();
    const echo = echoReaction(serving);
    const consumer = await start({
      reactions: [
        {
          ...echo,
          async react(event, manager) {
            if ((event.data as { tag: { value: string } }).tag.value === '2') throw new Error('never');
            await echo.react(event, manager);
          },
        },
      ],
    });
    await tagModel(registry, 'a', upTo(4));
    const parked = await waitFor(
      async () => {
        const list = await consumer.parked.list({ limit: 10 });
        return list.length === 3 ? list : undefined;
      },
      { what: 'three parked' },
    );
    expect(await consumer.parked.discard(parked[0]!.id)).toEqual({ replayed: 2 });
    await tagModel(registry, 'a', [5]);
    await echoed('a', 4);
    expect(await echoes(serving, 'a')).toEqual([1, 3, 4, 5]);
  });

  it('finds the poison in a batch of a read model, and applies the rest of it', async () => {
    await tagModel(registry, 'a', upTo(20));
    await tagModel(registry, 'b', upTo(20));
    await relay();
    const consumer = await start({
      readModels: [
        {
          ...modelTags,
          project(event) {
            if (event.stream.endsWith(':a') && event.version === 11) throw new RangeError('eleven');
            return modelTags.project(event) as never;
          },
        },
      ],
    });
    await waitFor(async () => (await consumer.parked.counts()).get('model_tags') === 10, { what: 'ten parked' });
    await waitFor(async () => (await tagsOf(serving, 'b'))?.count === 20, { what: "b's rows" });
    expect((await tagsOf(serving, 'a'))!.numbers).toEqual(upTo(10));
  });

  it('never parks where that is asked for: the service becomes unready instead', async () => {
    await relay();
    let broken = true;
    const consumer = await start({
      readModels: [
        {
          ...modelTags,
          neverPark: true,
          project(event) {
            if (broken) throw new RangeError('cannot be read');
            return modelTags.project(event) as never;
          },
        },
      ],
    });
    await waitFor(() => consumer.unreadyReasons().length === 0, { what: 'ready, with nothing to read' });
    await tagModel(registry, 'a', upTo(3));
    await waitFor(() => /model_tags waits .*cannot be read/.test(consumer.unreadyReasons()[0] ?? ''), {
      what: 'unready',
    });
    await waitFor(() => consumer.status()[0]!.failed > 5, { what: 'more tries than would park' });
    expect(await consumer.parked.list({ limit: 1 })).toEqual([]);
    broken = false;
    await waitFor(async () => (await tagsOf(serving, 'a'))?.count === 3, { what: 'the rows' });
    await waitFor(() => consumer.unreadyReasons().length === 0, { what: 'ready again' });
  });

  it('stops at a version that is missing, when it takes every type', async () => {
    await tagModel(registry, 'a', upTo(2));
    await relay();
    const seen: number[] = [];
    const consumer = await start({
      reactions: [
        {
          name: 'count-whatever-happens',
          from: ['registry'],
          on: [EVERY_TYPE],
          react: async ({ version }) => void seen.push(version),
        },
      ],
    });
    await waitFor(() => seen.length === 2, { what: 'both' });
    // As if the topic had lost a message: this consumer believes to have seen one less.
    await serving.dataSource.query('update consumer_streams set version = 1');
    await tagModel(registry, 'a', [3]);
    const waiting = await waitFor(() => consumer.status()[0]!.waiting[0], {
      what: 'the consumer to stop',
    });
    expect(waiting.error.message).toMatch(/stream acme\/model:a jumps from version 1 to 3/);
    expect(await consumer.parked.list({ limit: 1 })).toEqual([]);
    expect(seen).toEqual([1, 2]);
  });

  it('moves the position of payloads in the transaction of their handler', async () => {
    await serving.dataSource.query('create table windows (n int not null)');
    let failures = 3;
    const handle = async (messages: readonly { value: Buffer }[], manager: EntityManager): Promise<void> => {
      for (const { value } of messages)
        await manager.query('insert into windows values ($1)', [Number(value.toString())]);
      failures -= 1;
      if (failures > 0) throw new TransientFailure('not now');
    };
    const payload = (n: number) => ({ key: `k${n % 3}`, headers: {}, value: Buffer.from(String(n)) });
    await bus.publish(PAYLOADS_TOPIC, upTo(20).map(payload));
    const first = await start({ payloadHandlers: [{ name: 'windows', topic: PAYLOADS_TOPIC, handle }] });
    const stored = async (): Promise<number[]> =>
      ((await serving.dataSource.query('select n from windows order by n')) as { n: number }[]).map(({ n }) => n);
    await waitFor(async () => (await stored()).length >= 20, { what: 'twenty' });
    await first.stop();
    await bus.publish(PAYLOADS_TOPIC, upTo(10, 21).map(payload));
    const second = await start({ payloadHandlers: [{ name: 'windows', topic: PAYLOADS_TOPIC, handle }] });
    await waitFor(async () => (await stored()).length >= 30, { what: 'thirty' });
    await second.stop();
    expect(await stored()).toEqual(upTo(30));
  });

  it('goes on with payloads though the end of the topic was looked up before the last were handled', async () => {
    const seen: number[] = [];
    const windows = {
      name: 'windows',
      topic: PAYLOADS_TOPIC,
      handle: async (messages: readonly { value: Buffer }[]) =>
        void seen.push(...messages.map(({ value }) => Number(value.toString()))),
    };
    const payload = (n: number) => ({ key: `k${n % 3}`, headers: {}, value: Buffer.from(String(n)) });
    const first = await start({ payloadHandlers: [windows] });
    await bus.publish(PAYLOADS_TOPIC, upTo(9).map(payload));
    await waitFor(() => seen.length === 9, { what: 'nine' });
    await first.stop();
    const behind: EventBus = Object.assign(Object.create(bus) as EventBus, {
      subscribe: ({ startFrom, ...options }: SubscribeOptions) =>
        bus.subscribe({ ...options, startFrom: (place) => startFrom!({ ...place, high: place.low }) }),
    });
    await start({ bus: behind, payloadHandlers: [windows] });
    await bus.publish(PAYLOADS_TOPIC, upTo(9, 10).map(payload));
    await waitFor(() => upTo(9, 10).every((n) => seen.includes(n)), { what: 'nine more' });
    expect(seen.toSorted((a, b) => a - b)).toEqual(upTo(18));
  });

  it('parks a payload that fails for its own sake, and no other', async () => {
    const done: number[] = [];
    const consumer = await start({
      payloadHandlers: [
        {
          name: 'windows',
          topic: PAYLOADS_TOPIC,
          async handle(messages) {
            const numbers = messages.map(({ value }) => JSON.parse(value.toString()) as number);
            done.push(...numbers);
          },
        },
      ],
    });
    const message = (text: string) => ({ key: 'k', headers: { a: 'b' }, value: Buffer.from(text) });
    await bus.publish(PAYLOADS_TOPIC, [message('1'), message('{'), message('2')]);
    await waitFor(() => done.includes(2), { what: 'the one after the poison' });
    const [parked] = await consumer.parked.list({ limit: 10 });
    expect(parked).toMatchObject({ consumer: 'windows', topic: PAYLOADS_TOPIC, stream: null, tenant: '', tries: 5 });
    expect(await consumer.parked.discard(parked!.id)).toEqual({ replayed: 0 });
    expect(await consumer.parked.list({ limit: 10 })).toEqual([]);
  });

  it('handles a parked payload once, though two operators replay it at the same time', async () => {
    await serving.dataSource.query('create table windows (n int not null)');
    let broken = true;
    const consumer = await start({
      payloadHandlers: [
        {
          name: 'windows',
          topic: PAYLOADS_TOPIC,
          async handle(_messages, manager) {
            if (broken) throw new RangeError('cannot be read');
            await manager.query('insert into windows values (1)');
          },
        },
      ],
    });
    await bus.publish(PAYLOADS_TOPIC, [{ key: 'k', headers: {}, value: Buffer.from('1') }]);
    const parked = async () => (await consumer.parked.list({ limit: 1 }))[0];
    const { id } = await waitFor(parked, { what: 'it to be parked' });
    broken = false;
    const replays = await Promise.allSettled([consumer.parked.replay(id), consumer.parked.replay(id)]);
    expect(replays.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await serving.dataSource.query('select n from windows')).toEqual([{ n: 1 }]);
  });

  it('refuses to be set up for an event that does not exist, or twice under a name', () => {
    const misspelt = echoReaction(serving, { on: ['ModelTaged'] });
    return Promise.all([
      expect(start({ reactions: [misspelt] })).rejects.toThrow(
        /wants ModelTaged, but no such event comes from registry/,
      ),
      expect(start({ reactions: [echoReaction(serving), echoReaction(serving)] })).rejects.toThrow(/the same name/),
    ]);
  });
}
