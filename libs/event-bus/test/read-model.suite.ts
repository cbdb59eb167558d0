import { eventTopic } from '@mledger/contracts';
import type { EventLog } from '@mledger/event-log';
import { waitFor } from '@mledger/infra';
import { Consumer, type EventBus, IN_PROCESS_PARTITION, type Relay, streamPartition } from '../src';
import {
  deleteModel,
  Installation,
  modelTags,
  NamedModelTags,
  namedModelTags,
  tagModel,
  tagsOf,
  upTo,
} from './installation';
import { testLogger, type Transport } from './transports';

/** How tables of read models are made and replaced, on any transport, while replicas go on. */
export function readModelSuite(transport: Transport): void {
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

  it('rebuilds a read model beside the live one and swaps it in, while events flow', async () => {
    await relay();
    let factor = 1;
    const consumer = await start({
      readModels: [
        {
          ...modelTags,
          project: (event) => [
            {
              change: { stream: event.stream },
              by: (row) => ({
                stream: event.stream,
                count: ((row as { count?: number } | undefined)?.count ?? 0) + factor,
                sequence: String(event.version),
              }),
            },
          ],
        },
      ],
    });
    await tagModel(registry, 'a', upTo(40));
    await waitFor(async () => (await tagsOf(serving, 'a'))?.count === 40, { what: 'the rows' });
    factor = 1000;
    let writing = true;
    const writer = (async () => {
      for (let n = 41; writing; n += 1) await tagModel(registry, 'a', [n]);
    })();
    await consumer.rebuild('model_tags');
    writing = false;
    await writer;
    await tagModel(registry, 'a', [0]);
    const { version } = (await registry.store.readStream('acme/model:a')).at(-1)!;
    await waitFor(async () => (await tagsOf(serving, 'a'))?.count === version * 1000, {
      what: 'the rebuilt row, whole',
    });
    expect(consumer.status().map(({ consumer: id }) => id)).toEqual(['model_tags']);
    const left = (await serving.dataSource.query(
      `select schemaname as schema from pg_tables where tablename = 'model_tags'`,
    )) as object[];
    expect(left).toEqual([{ schema: 'serving' }]);
    await expect(consumer.rebuild('nothing')).rejects.toMatchObject({ refusal: { kind: 'not-found' } });
  });

  it('goes on when another replica has rebuilt the read model', async () => {
    await relay();
    const here = await start({ readModels: [modelTags] });
    const log = await installation.log('serving');
    const there = await installation.consumer({
      service: 'serving',
      log,
      bus,
      readModels: [modelTags],
    });
    await tagModel(registry, 'a', upTo(10));
    await waitFor(async () => (await tagsOf(serving, 'a'))?.count === 10, { what: 'the rows' });
    await there.rebuild('model_tags');
    for (let n = 11; n <= 60; n += 1) await tagModel(registry, 'a', [n]);
    for (const model of ['b', 'c', 'd', 'e']) await tagModel(registry, model, upTo(3));
    await waitFor(async () => (await tagsOf(serving, 'e'))?.count === 3 && (await tagsOf(serving, 'a'))?.count === 60, {
      what: 'all rows',
    });
    expect((await tagsOf(serving, 'a'))!.numbers).toEqual(upTo(60));
    await here.stop();
    await tagModel(registry, 'b', [4]);
    await waitFor(async () => (await tagsOf(serving, 'b'))?.count === 4, { what: 'the other to have taken over' });
  });

  it('is filled anew when a newer version of the service wants more of the events', async () => {
    await relay();
    const older = await start({ readModels: [modelTags] });
    await tagModel(registry, 'a', upTo(3));
    await deleteModel(registry, 'a');
    await tagModel(registry, 'a', [5]);
    await waitFor(async () => (await tagsOf(serving, 'a'))?.count === 4, { what: 'the rows' });
    await older.stop();
    const everyOne: typeof modelTags = {
      ...modelTags,
      types: ['ModelTagged', 'ModelDeleted'],
      project: (event) => [
        {
          change: { stream: event.stream },
          by: (row) => ({ stream: event.stream, count: (row?.count ?? 0) + 1, sequence: String(event.version) }),
        },
      ],
    };
    await start({ readModels: [everyOne] });
    await waitFor(async () => (await tagsOf(serving, 'a'))?.count === 5, { what: 'the rows, with the deletion' });
  });

  it('leaves a read model alone that a newer version of the service has made anew', async () => {
    await relay();
    const before = await start({ readModels: [modelTags] });
    await tagModel(registry, 'b', [1]);
    await tagModel(registry, 'a', upTo(10));
    await waitFor(async () => (await tagsOf(serving, 'a'))?.count === 10, { what: 'the rows' });
    await waitFor(async () => (await tagsOf(serving, 'b'))?.count === 1, { what: "b's row" });
    await before.stop();
    const older = await start({ readModels: [modelTags] });
    await waitFor(() => older.status()[0]!.caughtUp, { what: 'the older one to be up to date' });
    const log = await installation.log('serving', [NamedModelTags]);
    const newer = new Consumer({ service: 'serving', log, bus, logger: testLogger, readModels: [namedModelTags] });
    await newer.prepare();
    // One that the read model does not want, which would but move the position, and one that it does.
    await deleteModel(registry, 'b');
    await tagModel(registry, 'a', [11]);
    const partition = transport.name === 'Kafka' ? streamPartition : () => IN_PROCESS_PARTITION;
    const places = ['a', 'b'].map((model) => `${eventTopic('registry')}/${partition(`acme/model:${model}`)}`);
    await waitFor(() => places.every((one) => older.status()[0]!.waiting.some((waiting) => waiting.place === one)), {
      what: 'the older one to wait',
    });
    expect(older.status()[0]!.waiting[0]!.error.message).toMatch(/another version of this service has made model_tags/);
    expect(await tagsOf(serving, 'a')).toBeUndefined();
    await expect(older.rebuild('model_tags')).rejects.toThrow('another version of this service');
    await newer.start();
    await older.stop();
    const whole = async () => (await tagsOf(serving, 'a'))?.count === 11 && (await tagsOf(serving, 'b'))?.count === 1;
    await waitFor(whole, { what: 'the rows, all by the newer one' });
    const rows = (await log.dataSource.query('select name, count from model_tags order by name')) as object[];
    expect(rows).toEqual([
      { name: 'a', count: 11 },
      { name: 'b', count: 1 },
    ]);
    await newer.stop();
  });
}
