import { catalogOf, eventTopic, type ServiceName } from '@mledger/contracts';
import { applyProjection, type Projection, type Sequenced } from '@mledger/event-log';
import type { EntityManager } from 'typeorm';
import type { ReceivedMessage } from '../event-bus';
import type { Incoming } from './incoming';
import { buildingId, type ReadModelTables } from './read-model-tables';

/** In `on` or `types`: every event of the services in `from`. Then a missing event is noticed by its version. */
export const EVERY_TYPE = '*';
const READ_MODEL_EVENTS_MAX = 500;
const PAYLOADS_MAX = 500;
/** Each message alone would be a transaction a handler, which costs more than to predict. */
const PAYLOADS_GATHER_MS = 200;

/** When one of these events arrives, issue that command. One message a transaction; effects outside it are not undone. */
export interface Reaction {
  /** A sentence in kebab case, unique in its service and never changed: its positions are stored under it. */
  readonly name: string;
  readonly from: readonly ServiceName[];
  readonly on: readonly string[];
  /** Commands join the transaction: `store.handle(target, { …, commandId: reactionCommandId(event.id, name) }, { transaction: manager })`. */
  react(event: Sequenced, manager: EntityManager): Promise<void>;
  /** Waits for ever before an event that fails, and makes the service unready, rather than pass over it. */
  readonly neverPark?: boolean;
}

/**
 * Rows made of other services' events, applied in batches. Each row depends on one source stream. `mode` does not matter here.
 * Its entity is given to the log's `entities`; its table is made by the consumer.
 */
export interface ReadModel<Row extends object = object> extends Projection<Row> {
  readonly from: readonly ServiceName[];
  readonly neverPark?: boolean;
}

/** Works on a topic that is no log; all that it writes goes through `manager`, and its position moves in the same transaction. */
export interface PayloadHandler {
  readonly name: string;
  readonly topic: string;
  handle(messages: readonly ReceivedMessage[], manager: EntityManager): Promise<void>;
}

/** What reactions, read models and payload handlers have in common: work done in the transaction that moves the position. */
export interface Handler {
  readonly name: string;
  /** Under which its positions are stored, and its Kafka group is known. */
  readonly id: string;
  readonly topics: readonly string[];
  readonly carries: 'events' | 'payloads';
  readonly everyType: boolean;
  readonly types: ReadonlySet<string>;
  readonly neverPark: boolean;
  /** How many go into one transaction. */
  readonly atOnceMax: number;
  readonly gatherMs?: number;
  /** Moves the stored position over unwanted events too, at once. */
  readonly movesAlways?: boolean;
  /** First in each transaction, also in one that only moves the position: keeps the table that is meant in its place. */
  enter?(manager: EntityManager): Promise<void>;
  apply(items: readonly Incoming[], manager: EntityManager): Promise<void>;
}

export function reactionHandler(reaction: Reaction): Handler {
  return {
    ...eventHandler(reaction.name, reaction.from, reaction.on, reaction.neverPark),
    atOnceMax: 1,
    async apply(items, manager) {
      for (const { event } of items) await reaction.react(event!, manager);
    },
  };
}

export function readModelHandler(model: ReadModel, tables: ReadModelTables): Handler {
  return readModelWriter(model, (manager) => tables.holdLive(manager, model));
}

/** Fills the table that a rebuild has begun. */
export function rebuildHandler(model: ReadModel, tables: ReadModelTables, build: string): Handler {
  return {
    ...readModelWriter(model, (manager) => tables.enterBuilding(manager, model, build)),
    id: buildingId(model.name),
    // Its position has to show how far it is, also when nothing that it wants comes along.
    movesAlways: true,
  };
}

function readModelWriter(model: ReadModel, enter: (manager: EntityManager) => Promise<void>): Handler {
  const handler = eventHandler(model.name, model.from, model.types, model.neverPark);
  const projection = { ...model, types: [...handler.types] };
  return {
    ...handler,
    atOnceMax: READ_MODEL_EVENTS_MAX,
    enter,
    async apply(items, manager) {
      const events = items.map(({ event }) => event!);
      await applyProjection(manager, projection, events);
    },
  };
}

export function payloadHandler(handler: PayloadHandler): Handler {
  const { name, topic } = handler;
  return {
    name,
    id: name,
    topics: [topic],
    carries: 'payloads',
    everyType: true,
    types: new Set(),
    neverPark: false,
    atOnceMax: PAYLOADS_MAX,
    gatherMs: PAYLOADS_GATHER_MS,
    apply: (items, manager) =>
      handler.handle(
        items.map(({ message }) => message),
        manager,
      ),
  };
}

function eventHandler(
  name: string,
  from: readonly ServiceName[],
  types: readonly string[],
  neverPark = false,
): Omit<Handler, 'apply' | 'atOnceMax'> {
  const known = new Set(from.flatMap((service) => Object.keys(catalogOf(service))));
  const everyType = types.includes(EVERY_TYPE);
  for (const type of types) {
    if (type !== EVERY_TYPE && !known.has(type)) {
      throw new Error(`${name} wants ${type}, but no such event comes from ${from.join(', ')}`);
    }
  }
  const wanted = everyType ? known : new Set(types);
  return { name, id: name, topics: from.map(eventTopic), carries: 'events', everyType, types: wanted, neverPark };
}
