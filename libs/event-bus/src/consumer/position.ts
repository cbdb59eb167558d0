import type { ServiceName } from '@mledger/contracts';
import { lockKey } from '@mledger/event-log';
import type { EntityManager } from 'typeorm';
import type { MessageBatch } from '../event-bus';
import { TransientFailure } from '../failure';
import { IN_PROCESS_PARTITION, streamPartition } from '../stream-partition';
import type { Incoming } from './incoming';
import { LOCK, MOVE, MOVE_VERSIONS, POSITIONS, TRY_LOCK, VERSIONS } from './positions.sql';

/** A consumer that takes every type saw version n of a stream and then not n + 1: something was lost on the way. */
export class VersionJump extends Error {
  override readonly name = 'VersionJump';
}

type Place = Pick<MessageBatch, 'topic' | 'partition'>;

/** What is known, under the lock, of what a handler has done with a topic. */
export interface Position {
  /** Whether the message was not handled before, by this transport or the other. */
  isFresh(item: Incoming): boolean;
  /** Streams of which something is parked: what follows parks behind it. */
  readonly parkedStreams: ReadonlySet<string>;
}

type Owner = { readonly service: ServiceName; readonly consumer: string };

/**
 * Held by whoever handles this partition for this handler, until the transaction ends. After a rebalance it keeps two
 * replicas apart of which one does not know yet.
 * @throws {TransientFailure} when another has it: waiting for it would keep a connection from other partitions
 */
export async function lockPlace(manager: EntityManager, owner: Owner, place: Place): Promise<void> {
  const [row] = (await manager.query(TRY_LOCK, [String(placeKey(owner, place))])) as { held: boolean }[];
  if (!row!.held) throw new TransientFailure(`another replica is still at work in ${place.topic}/${place.partition}`);
}

/** Waits until nobody handles any of these. */
export async function lockPlaces(manager: EntityManager, owner: Owner, places: readonly Place[]): Promise<void> {
  const keys = places.map((place) => placeKey(owner, place)).sort((a, b) => (a < b ? -1 : 1));
  for (const key of keys) await manager.query(LOCK, [String(key)]);
}

function placeKey({ service, consumer }: Owner, { topic, partition }: Place): bigint {
  return lockKey(service, 'consumer', `${consumer}/${topic}/${partition}`);
}

/** Every place where events of the stream may be handled: its Kafka partition, and the in-process transport. */
export function placesOf(topic: string, stream: string): Place[] {
  return [IN_PROCESS_PARTITION, streamPartition(stream)].map((partition) => ({ topic, partition }));
}

export async function readPosition(
  manager: EntityManager,
  consumer: string,
  { topic, partition }: Place,
  items: readonly Incoming[],
): Promise<Position> {
  const [row] = (await manager.query(POSITIONS, [consumer, topic, streamsOf(items)])) as {
    positions: Record<string, [nextOffset: string, lastSeq: string | null]> | null;
    parked: string[] | null;
  }[];
  const positions = row?.positions ?? {};
  const lastSeq = (of: number): number => Number(positions[of]?.[1] ?? 0);
  const nextOffset = BigInt(positions[partition]?.[0] ?? 0);
  return {
    parkedStreams: new Set(row?.parked),
    // An installation that changed its transport finds in one what was done through the other, so all three count.
    isFresh: ({ event, message }) =>
      event
        ? event.seq >
          Math.max(lastSeq(partition), lastSeq(IN_PROCESS_PARTITION), lastSeq(streamPartition(event.stream)))
        : BigInt(message.offset) >= nextOffset,
  };
}

/** The last statement of the transaction: an append after it could come before others of its stream in the public order. */
export async function movePosition(
  manager: EntityManager,
  consumer: string,
  { topic, partition }: Place,
  items: readonly Incoming[],
): Promise<void> {
  const nextOffset = BigInt(items.at(-1)!.message.offset) + 1n;
  const seqs = items.flatMap(({ event }) => (event ? [event.seq] : []));
  const lastSeq = seqs.length > 0 ? Math.max(...seqs) : null;
  await manager.query(MOVE, [consumer, topic, partition, String(nextOffset), lastSeq]);
}

/** Checks that nothing is missing in the streams of these events; returns how far each then is. @throws {VersionJump} */
export async function followVersions(
  manager: EntityManager,
  consumer: string,
  topic: string,
  items: readonly Incoming[],
): Promise<Map<string, number>> {
  const streams = streamsOf(items);
  if (streams.length === 0) return new Map();
  const rows = (await manager.query(VERSIONS, [consumer, topic, streams])) as { stream: string; version: number }[];
  const versions = new Map(rows.map(({ stream, version }) => [stream, Number(version)]));
  for (const { event } of items) {
    if (!event) continue;
    const before = versions.get(event.stream) ?? 0;
    if (event.version > before + 1) {
      throw new VersionJump(
        `${topic}: stream ${event.stream} jumps from version ${before} to ${event.version} at seq ${event.seq}: ` +
          'events are missing in the topic; publish them again, then rebuild this consumer',
      );
    }
    versions.set(event.stream, Math.max(before, event.version));
  }
  return versions;
}

export async function moveVersions(
  manager: EntityManager,
  consumer: string,
  topic: string,
  versions: ReadonlyMap<string, number>,
): Promise<void> {
  if (versions.size === 0) return;
  await manager.query(MOVE_VERSIONS, [consumer, topic, [...versions.keys()], [...versions.values()]]);
}

function streamsOf(items: readonly Incoming[]): string[] {
  return [...new Set(items.flatMap(({ event }) => (event ? [event.stream] : [])))];
}
