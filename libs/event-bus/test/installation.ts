import { randomUUID } from 'node:crypto';
import { catalogOf, eventTopic, PAYLOADS_TOPIC, type ServiceName, TOPICS } from '@mledger/contracts';
import { type CommandContext, type EventLog, openEventLog } from '@mledger/event-log';
import { openTestDatabase, type TestDatabase } from '@mledger/event-log/testing';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import {
  Consumer,
  type ConsumerOptions,
  type EventBus,
  eventBusMigrations,
  type Reaction,
  type ReadModel,
  Relay,
} from '../src';
import { testLogger, type Transport } from './transports';

/** How often each model was tagged: wrong at once when an event is applied twice, lost, or out of order. */
@Entity({ name: 'model_tags' })
export class ModelTags {
  @PrimaryColumn('text') stream!: string;
  @Column('int') count!: number;
  /** The tags' numbers in the order of their application. */
  @Column('text') sequence!: string;
}

export const modelTags: ReadModel<ModelTags> = {
  name: 'model_tags',
  mode: 'async',
  entity: ModelTags,
  from: ['registry'],
  types: ['ModelTagged'],
  project: (event) => [
    {
      change: { stream: event.stream },
      by: (row) => ({
        stream: event.stream,
        count: (row?.count ?? 0) + 1,
        sequence: [row?.sequence, (event.data as { tag: { value: string } }).tag.value].filter(Boolean).join(' '),
      }),
    },
  ],
};

/** The same read model in a newer version of its service, with one column more. */
@Entity({ name: 'model_tags' })
export class NamedModelTags extends ModelTags {
  @Column('text') name!: string;
}

export const namedModelTags: ReadModel<NamedModelTags> = {
  ...modelTags,
  entity: NamedModelTags,
  project: (event) => [
    {
      change: { stream: event.stream },
      by: (row) => ({
        stream: event.stream,
        count: (row?.count ?? 0) + 1,
        sequence: String(event.version),
        name: (event.data as { model: string }).model,
      }),
    },
  ],
};

const topics = TOPICS.filter(({ topic }) => [eventTopic('registry'), PAYLOADS_TOPIC].includes(topic));

const context: CommandContext = { tenant: 'acme', actor: 'user:ann', cause: 'test', correlation: 'loop-1' };

/** Services on one database and one transport, as many processes of each as a test wants. */
export class Installation {
  readonly id = randomUUID();
  private readonly closing: (() => Promise<unknown>)[] = [];

  private constructor(
    private readonly transport: Transport,
    readonly database: TestDatabase,
  ) {}

  static async open(transport: Transport): Promise<Installation> {
    return new Installation(transport, await openTestDatabase());
  }

  /** What a process has: a bus, which others of the installation see. */
  async bus(): Promise<EventBus> {
    const bus = await this.transport.open(this.id);
    await this.ensureTopics(bus);
    this.closing.push(() => bus.close());
    return bus;
  }

  ensureTopics(bus: EventBus): Promise<void> {
    return bus.ensureTopics(topics);
  }

  async log(service: ServiceName, entities: readonly (new () => object)[] = [ModelTags]): Promise<EventLog> {
    const log = await openEventLog({
      service,
      url: this.database.url,
      catalog: catalogOf(service),
      projections: [],
      migrations: eventBusMigrations,
      entities,
      poolSizeMax: 6,
    });
    log.start();
    this.closing.push(() => log.stop());
    return log;
  }

  async relay(service: ServiceName, log: EventLog, bus: EventBus): Promise<Relay> {
    const relay = new Relay({ service, log, bus, logger: testLogger });
    await relay.start();
    this.closing.push(() => relay.stop());
    return relay;
  }

  async consumer(options: Omit<ConsumerOptions, 'logger'>): Promise<Consumer> {
    const consumer = new Consumer({ ...options, logger: testLogger });
    await consumer.start();
    this.closing.push(() => consumer.stop());
    return consumer;
  }

  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
    await this.database.drop();
  }
}

/** Appends one tag to a model for each number; `value` is what the read model and the reactions remember. */
export async function tagModel(log: EventLog, model: string, numbers: readonly number[], padding = ''): Promise<void> {
  await log.store.appendBlind(
    `acme/model:${model}`,
    numbers.map((number) => ({
      type: 'ModelTagged',
      data: { modelId: model, model, tag: { key: 'n', value: String(number) }, ...(padding && { padding }) },
    })),
    context,
  );
}

/** Appends an event that neither the read model nor the reactions want. */
export async function deleteModel(log: EventLog, model: string): Promise<void> {
  const data = { modelId: model, model };
  await log.store.appendBlind(`acme/model:${model}`, [{ type: 'ModelDeleted', data }], context);
}

export const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, i) => from + i);

/** A reaction that answers each tag with an event of its own service's log, so that doubles and gaps show there. */
export function echoReaction(log: EventLog, options: Partial<Reaction> = {}): Reaction {
  return {
    name: 'echo-when-model-tagged',
    from: ['registry'],
    on: ['ModelTagged'],
    async react(event, manager) {
      const { value } = (event.data as { tag: { value: string } }).tag;
      await log.store.handle(
        {
          decider: {
            kind: 'endpoint',
            initial: null,
            decide: () => ({ events: [{ type: 'EndpointDeleted', data: { n: value } }] }),
            evolve: () => null,
          },
          stream: event.stream.replace('model:', 'endpoint:'),
          command: null,
        },
        { ...context, cause: event.id },
        { transaction: manager },
      );
    },
    ...options,
  };
}

/** The numbers that the reaction has answered for a model, in order. */
export async function echoes(log: EventLog, model: string): Promise<number[]> {
  const events = await log.store.readStream(`acme/endpoint:${model}`);
  return events.map(({ data }) => Number((data as { n: string }).n));
}

/** The read model's row, and its numbers in order. */
export async function tagsOf(log: EventLog, model: string): Promise<{ count: number; numbers: number[] } | undefined> {
  const [row] = (await log.dataSource.query('select count, sequence from model_tags where stream = $1', [
    `acme/model:${model}`,
  ])) as ModelTags[];
  return row && { count: row.count, numbers: row.sequence.split(' ').map(Number) };
}
