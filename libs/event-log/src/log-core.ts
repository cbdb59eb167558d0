import type { DataSource } from 'typeorm';
import type { Pool } from 'pg';
import type { Bell } from './bell';
import type { EventCatalog } from './event';
import type { Projection } from './projections/projection';

/** What the parts of one service's open log share. */
export interface LogCore {
  /** Also the name of its schema. */
  readonly service: string;
  readonly catalog: EventCatalog;
  readonly projections: readonly Projection[];
  /** The inline projections this process writes, as one hash. */
  readonly inlineHash: string;
  readonly dataSource: DataSource;
  /** The service's own connections. */
  readonly pool: Pool;
  /** One connection for the sequencer and the async projections, so that callers never wait for them. */
  readonly background: Pool;
  readonly bell: Bell;
  onError(error: unknown, where: string): void;
}

/** Rung after a commit with new events: wakes sequencers. */
export function appendedTopic(service: string): string {
  return `${service}:appended`;
}

/** Rung after events were numbered: wakes async projections and subscriptions. */
export function sequencedTopic(service: string): string {
  return `${service}:sequenced`;
}
