import type { ServiceName } from '@mledger/contracts';
import { CommandRefused } from '@mledger/event-log';
import type { DataSource, EntityManager } from 'typeorm';
import type { ReceivedMessage } from '../event-bus';
import { errorText } from '../failure';
import type { Handler } from './handler';
import { type Incoming, readEvent } from './incoming';
import { COUNT, FAILED_AGAIN, FIND, FIRST_OF_STREAM, LIST, PARK, REMOVE } from './parked.sql';
import { lockPlaces, placesOf } from './position';

/** An event that could not be handled, or one that waits behind it. */
export interface ParkedEvent {
  readonly id: string;
  /** Empty when the message could not be read at all. */
  readonly tenant: string;
  /** The reaction, read model or payload handler. */
  readonly consumer: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly seq: number | null;
  readonly stream: string | null;
  readonly type: string | null;
  readonly reason: string;
  /** 0: never tried, waits behind another. */
  readonly tries: number;
  readonly parkedAt: string;
}

type ParkedRow = ParkedEvent & Pick<ReceivedMessage, 'key' | 'headers' | 'value'>;

export interface ReplayResult {
  /** How many were handled, the one asked for and those behind it. */
  readonly replayed: number;
  /** The one that failed again; it and those behind it stay parked. */
  readonly failed?: ParkedEvent;
}

/** Stores a message aside, in the transaction that moves the position past it. */
export async function park(
  manager: EntityManager,
  consumer: string,
  { message, event }: Incoming,
  { tries, reason }: { tries: number; reason: string },
): Promise<void> {
  await manager.query(PARK, [
    event?.tenant ?? '',
    consumer,
    message.topic,
    message.partition,
    message.offset,
    event?.seq ?? null,
    event?.stream ?? null,
    event?.type ?? null,
    reason,
    tries,
    message.key,
    JSON.stringify(message.headers),
    message.value,
  ]);
}

/** What an operator does with parked events: look, replay, discard. Works on any replica, whoever parked them. */
export class ParkedEvents {
  constructor(
    private readonly service: ServiceName,
    private readonly dataSource: DataSource,
    private readonly handlers: ReadonlyMap<string, Handler>,
  ) {}

  /** In the order in which they were parked; `after` is the id of the last one seen. */
  async list(page: { after?: string; limit: number; tenant?: string }): Promise<ParkedEvent[]> {
    const rows = (await this.dataSource.query(LIST, [
      page.after ?? 0,
      page.tenant ?? null,
      page.limit,
    ])) as ParkedEvent[];
    return rows.map(described);
  }

  /** How many wait, by consumer. */
  async counts(): Promise<Map<string, number>> {
    const rows = (await this.dataSource.query(COUNT)) as { consumer: string; count: number }[];
    return new Map(rows.map(({ consumer, count }) => [consumer, count]));
  }

  /**
   * Handles the events of this one's stream again, from the first that is parked on, each in a transaction of its own,
   * until none is left or one fails. From then on new events of the stream flow again.
   * @throws {CommandRefused} not-found
   */
  async replay(id: string): Promise<ReplayResult> {
    const row = await this.find(id);
    return row.stream === null ? this.replayAlone(row) : this.replayStream(row);
  }

  /**
   * Gives this event up for good. Had it held up its stream, the events behind it are replayed.
   * @throws {CommandRefused} not-found
   */
  async discard(id: string): Promise<ReplayResult> {
    const row = await this.find(id);
    const wasFirst = await this.dataSource.transaction(async (manager) => {
      if (row.stream !== null) await this.lock(manager, row, row.stream);
      const first = row.stream === null ? undefined : await firstOf(manager, row, row.stream);
      await manager.query(REMOVE, [id]);
      return first?.id === row.id;
    });
    return wasFirst ? this.replayStream(row) : { replayed: 0 };
  }

  private async replayStream(row: ParkedRow): Promise<ReplayResult> {
    for (let replayed = 0; ; replayed += 1) {
      const tried = await this.dataSource
        .transaction(async (manager) => {
          await this.lock(manager, row, row.stream!);
          const first = await firstOf(manager, row, row.stream!);
          if (first) await this.apply(manager, first);
          return first;
        })
        .catch((error: unknown) => this.failedAgain(row, error));
      if (!tried) return { replayed };
      if ('failed' in tried) return { replayed, failed: tried.failed };
    }
  }

  private async replayAlone(row: ParkedRow): Promise<ReplayResult> {
    try {
      await this.dataSource.transaction((manager) => this.apply(manager, row));
      return { replayed: 1 };
    } catch (error) {
      await this.dataSource.query(FAILED_AGAIN, [row.id, errorText(error)]);
      return { replayed: 0, failed: described(await this.find(row.id)) };
    }
  }

  private async failedAgain(row: ParkedRow, error: unknown): Promise<{ failed: ParkedEvent }> {
    const first = await firstOf(this.dataSource.manager, row, row.stream!);
    if (!first) throw error;
    await this.dataSource.query(FAILED_AGAIN, [first.id, errorText(error)]);
    return { failed: described(await this.find(first.id)) };
  }

  private async apply(manager: EntityManager, row: ParkedRow): Promise<void> {
    const handler = this.handlers.get(row.consumer);
    if (!handler) throw new Error(`this service has no consumer ${row.consumer} any more: discard the event`);
    const message: ReceivedMessage = { ...row, offset: String(row.offset) };
    const item = handler.carries === 'events' ? readEvent(handler, message) : { message };
    if (item.malformed) throw item.malformed;
    await handler.enter?.(manager);
    await handler.apply([item], manager);
    const [, removed] = (await manager.query(REMOVE, [row.id])) as [unknown, number];
    // Somebody else has replayed it meanwhile; what was done here is undone.
    if (removed === 0) throw parkedNotFound(row.id);
  }

  /** Keeps the live consumer off the stream: else it could park an event behind the last one while that is replayed. */
  private lock(manager: EntityManager, { consumer, topic }: ParkedRow, stream: string): Promise<void> {
    return lockPlaces(manager, { service: this.service, consumer }, placesOf(topic, stream));
  }

  private async find(id: string): Promise<ParkedRow> {
    const [row] = /^\d{1,18}$/.test(id) ? ((await this.dataSource.query(FIND, [id])) as ParkedRow[]) : [];
    if (!row) throw parkedNotFound(id);
    return row;
  }
}

function parkedNotFound(id: string): CommandRefused {
  return new CommandRefused({
    kind: 'not-found',
    code: 'PARKED_EVENT_NOT_FOUND',
    message: `There is no parked event ${id}: it may have been replayed or discarded`,
  });
}

async function firstOf(manager: EntityManager, row: ParkedRow, stream: string): Promise<ParkedRow | undefined> {
  const [first] = (await manager.query(FIRST_OF_STREAM, [row.consumer, row.topic, stream])) as ParkedRow[];
  return first;
}

function described({ id, offset, ...row }: ParkedEvent & Partial<ParkedRow>): ParkedEvent {
  const { key: _key, headers: _headers, value: _value, ...rest } = row;
  return { id: String(id), offset: String(offset), ...rest };
}
