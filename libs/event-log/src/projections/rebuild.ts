import type { PoolClient } from 'pg';
import { sqlState } from '../errors';
import type { Recorded } from '../event';
import { lockKey } from '../ids';
import { projectionLock } from '../inline-projections';
import type { LogCore } from '../log-core';
import { EVENT_COLUMNS, readRecorded, type EventRow } from '../recorded';
import type { Projection } from './projection';
import { projectionTable, quoteName, type ProjectionTable } from './projection-table';
import { projectInto } from './projector';

const PAGE_EVENTS = 1_000;
const FLIP_TRIES_MAX = 5;
const DEADLOCK = '40P01';

/** Where the fill stands, in the order that sequenced and not yet sequenced events share. */
interface Cursor {
  xid: string;
  position: number;
  seq: number;
}

interface LiveTable {
  live: number;
  ddlHash: string;
}

/** Makes what is missing, and rebuilds what was declared otherwise when it was made. */
export async function ensureProjections(core: LogCore): Promise<void> {
  for (const projection of core.projections) {
    const table = projectionTable(core.dataSource, projection);
    const present = await liveTable(core, projection.name);
    if (present?.ddlHash !== table.ddlHash) await rebuildProjection(core, projection);
  }
}

/**
 * Fills a new table from the first event on, beside the live one; then stops the projection's writers for a moment, adds what came
 * last, and lets the view show the new table. Readers see one table or the other, whole.
 */
export async function rebuildProjection(core: LogCore, projection: Projection): Promise<void> {
  const client = await core.pool.connect();
  const gate = lockKey(core.service, 'rebuild', projection.name);
  let broken: Error | undefined;
  try {
    await client.query(`select pg_advisory_lock(${gate})`);
    const table = projectionTable(core.dataSource, projection);
    const present = await liveTable(core, projection.name);
    const next = (present?.live ?? 0) + 1;
    const physical = physicalName(projection.name, next);
    // Left over from a rebuild that was killed.
    await client.query(`drop table if exists ${quoteName(physical)}`);
    for (const statement of table.ddl(physical)) await client.query(statement);
    const cursor = await fillFromLog(core, client, projection, physical);
    await flipWhenFree(client, () => flip(core, client, { projection, table, present, next, cursor }));
    await client.query(`select pg_advisory_unlock(${gate})`);
  } catch (error) {
    broken = error as Error; // The connection holds the gate's lock: closing it lets go.
    throw error;
  } finally {
    client.release(broken);
  }
}

async function liveTable(core: LogCore, name: string): Promise<LiveTable | undefined> {
  const { rows } = await core.pool.query<LiveTable>(
    'select live, ddl_hash as "ddlHash" from projections where name = $1',
    [name],
  );
  return rows[0];
}

function physicalName(name: string, number: number): string {
  return `${name}__${number}`;
}

async function fillFromLog(
  core: LogCore,
  client: PoolClient,
  projection: Projection,
  physical: string,
): Promise<Cursor> {
  let cursor: Cursor = { xid: '0', position: 0, seq: 0 };
  for (;;) {
    const page = await readOrdered(core, client, cursor, 'sequenced');
    if (page.events.length === 0) return cursor;
    await projectInto(core.dataSource, client, projection, page.events, physical);
    cursor = page.cursor;
  }
}

/** A reader that waits for a lock which we hold, and holds one which we want, makes Postgres end one of us. */
async function flipWhenFree(client: PoolClient, attempt: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await client.query('begin');
      await attempt();
      await client.query('commit');
      return;
    } catch (error) {
      await client.query('rollback');
      if (sqlState(error) !== DEADLOCK || tries >= FLIP_TRIES_MAX) throw error;
    }
  }
}

interface Flip {
  projection: Projection;
  table: ProjectionTable;
  present: LiveTable | undefined;
  next: number;
  cursor: Cursor;
}

async function flip(
  core: LogCore,
  client: PoolClient,
  { projection, table, present, next, cursor }: Flip,
): Promise<void> {
  const { name, mode } = projection;
  const physical = physicalName(name, next);
  // From here on no writer touches the live table; what was written before is committed and therefore seen by the next read.
  await client.query(`select pg_advisory_xact_lock(${projectionLock(core.service, name)})`);
  let current = cursor;
  for (;;) {
    const page = await readOrdered(core, client, current, mode === 'inline' ? 'committed' : 'sequenced');
    if (page.events.length === 0) break;
    await projectInto(core.dataSource, client, projection, page.events, physical);
    current = page.cursor;
  }
  if (mode === 'async') {
    await client.query(
      `insert into checkpoints (name, seq) values ($1, $2) on conflict (name) do update set seq = excluded.seq`,
      [checkpointName(name), current.seq],
    );
  }
  await client.query(`drop view if exists ${quoteName(name)}`);
  await client.query(`create view ${quoteName(name)} as select * from ${quoteName(physical)}`);
  if (present) await client.query(`drop table ${quoteName(physicalName(name, present.live))}`);
  await client.query(
    `insert into projections (name, live, ddl_hash) values ($1, $2, $3)
     on conflict (name) do update set live = excluded.live, ddl_hash = excluded.ddl_hash`,
    [name, next, table.ddlHash],
  );
}

/** The row of `checkpoints` that says how far an async projection is. */
export function checkpointName(projection: string): string {
  return `projection:${projection}`;
}

/** The order of the sequencer, continued over events that are committed and not numbered yet. */
async function readOrdered(
  core: LogCore,
  client: PoolClient,
  after: Cursor,
  which: 'sequenced' | 'committed',
): Promise<{ events: Recorded[]; cursor: Cursor }> {
  const { rows } = await client.query<[string, number, number | null, ...EventRow]>({
    rowMode: 'array',
    text: `select e.xid::text, e.position, o.seq, ${EVENT_COLUMNS}
             from events e left join log_order o on o.position = e.position
            where (e.xid, e.position) > ($1::xid8, $2) ${which === 'sequenced' ? 'and o.seq is not null' : ''}
            order by e.xid, e.position limit $3`,
    values: [after.xid, after.position, PAGE_EVENTS],
  });
  const last = rows.at(-1);
  const cursor = last ? { xid: last[0], position: last[1], seq: last[2] ?? after.seq } : after;
  const events = rows.map(([, , seq, ...row]) => {
    const event = readRecorded(core.service, core.catalog, row);
    return seq === null ? event : Object.assign(event, { seq });
  });
  return { events, cursor };
}
