import type { PoolClient } from 'pg';
import { inTransaction, withConnection } from '../connections';
import { sqlState } from '../errors';
import type { Recorded } from '../event';
import { lockKey } from '../ids';
import { projectionLock } from '../inline-projections';
import type { LogCore } from '../log-core';
import { replay } from '../log-reader';
import { bytesUpTo, WITHIN_PAGE } from '../page';
import { EVENT_JSON, readRecorded } from '../recorded';
import { declarationOf, declare } from './declared';
import type { Projection } from './projection';
import { projectionTable, quoteName } from './projection-table';
import { projectInto } from './projector';

const PAGE_EVENTS = 500;
/** Rows are read and written once for so many events. */
const FILL_EVENTS = 1_000;
const FLIP_TRIES_MAX = 5;
const DEADLOCK = '40P01';

/** Where a fill stands, in the order that sequenced and not yet sequenced events share. */
interface Cursor {
  readonly xid: string;
  readonly position: number;
  readonly seq: number;
}

interface LiveTable {
  readonly live: number;
  readonly declaration: string | null;
}

/** A table that is being made beside the live one. */
interface NewTable {
  readonly projection: Projection;
  readonly physical: string;
  readonly number: number;
  readonly declaration: string;
  readonly replaces: number | undefined;
}

/** Makes what is missing, and rebuilds what was declared otherwise when it was made. */
export async function ensureProjections(core: LogCore): Promise<void> {
  await declare(core);
  for (const projection of core.projections) {
    if (await isOutdated(core, projection)) await rebuildProjection(core, projection);
  }
}

/**
 * Fills a new table from the first event on, beside the live one; then stops the projection's writers for a moment, adds what came
 * last, and lets the view show the new table. Readers see one table or the other, whole.
 */
export async function rebuildProjection(core: LogCore, projection: Projection): Promise<void> {
  await withNewTable(core, projection, async (client, table) => {
    const filledSeq = await fillFromLog(core, client, table);
    await swap(core, client, table, async () => {
      // Writers wait now; what they wrote before is committed, and therefore seen.
      const last = await addLatest(core, client, table, await cursorAt(client, filledSeq));
      if (projection.mode === 'inline') return;
      await client.query(
        'insert into checkpoints (name, seq) values ($1, $2) on conflict (name) do update set seq = excluded.seq',
        [checkpointName(projection.name), last.seq],
      );
    });
  });
}

/** The row of `checkpoints` that says how far an async projection is. */
export function checkpointName(projection: string): string {
  return `projection:${projection}`;
}

async function isOutdated(core: LogCore, projection: Projection): Promise<boolean> {
  const present = await liveTable(core, projection.name);
  return present?.declaration !== declarationOf(core.dataSource, projection);
}

async function liveTable(core: LogCore, name: string): Promise<LiveTable | undefined> {
  const { rows } = await core.pool.query<LiveTable>('select live, declaration from projections where name = $1', [
    name,
  ]);
  return rows[0];
}

/** One rebuild of a projection at a time, in all processes. */
async function withNewTable(
  core: LogCore,
  projection: Projection,
  fill: (client: PoolClient, table: NewTable) => Promise<void>,
): Promise<void> {
  const gate = lockKey(core.service, 'rebuild', projection.name);
  await withConnection(core.pool, async (client) => {
    await client.query(`select pg_advisory_lock(${gate})`);
    try {
      await fill(client, await createTable(core, client, projection));
    } finally {
      // A connection that broke has let go of it already.
      await client.query(`select pg_advisory_unlock(${gate})`).catch(() => undefined);
    }
  });
}

async function createTable(core: LogCore, client: PoolClient, projection: Projection): Promise<NewTable> {
  const { ddl } = projectionTable(core.dataSource, projection);
  const present = await liveTable(core, projection.name);
  const number = (present?.live ?? 0) + 1;
  const physical = physicalName(projection.name, number);
  // Left over from a rebuild that was killed.
  await client.query(`drop table if exists ${quoteName(physical)}`);
  for (const statement of ddl(physical)) await client.query(statement);
  const declaration = declarationOf(core.dataSource, projection);
  return { projection, physical, number, declaration, replaces: present?.live };
}

function physicalName(name: string, number: number): string {
  return `${name}__${number}`;
}

/** All that is numbered. Returns the seq up to which the new table is right. */
async function fillFromLog(core: LogCore, client: PoolClient, { projection, physical }: NewTable): Promise<number> {
  const pages = replay(core, core.pool, { afterSeq: 0, types: projection.types, givenMax: FILL_EVENTS });
  for (;;) {
    const page = await pages.next();
    if (page.done) return page.value;
    await projectInto(core.dataSource, client, projection, page.value, physical);
  }
}

/** What was committed since; for an async projection, only what was numbered. */
async function addLatest(
  core: LogCore,
  client: PoolClient,
  { projection, physical }: NewTable,
  after: Cursor,
): Promise<Cursor> {
  let cursor = after;
  for (;;) {
    const page = await readOrdered(core, client, cursor, projection.mode === 'inline' ? 'committed' : 'sequenced');
    if (page.events.length === 0) return cursor;
    await projectInto(core.dataSource, client, projection, page.events, physical);
    cursor = page.cursor;
  }
}

/** What was adopted from another cluster has the xid 0 and no order of its own; it is all numbered, so past one is past all. */
async function cursorAt(client: PoolClient, seq: number): Promise<Cursor> {
  const { rows } = await client.query<Cursor>(
    `select e.xid::text, o.seq,
            case when e.xid = '0' then (select max(position) from events where xid = '0') else e.position end as position
       from log_order o join events e on e.position = o.position where o.seq = $1`,
    [seq],
  );
  return rows[0] ?? { xid: '0', position: 0, seq: 0 };
}

/** A reader that waits for a lock which we hold, and holds one which we want, makes Postgres end one of us; then we try again. */
async function swap(core: LogCore, client: PoolClient, table: NewTable, lastFill: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await inTransaction(client, async () => {
        await client.query(`select pg_advisory_xact_lock(${projectionLock(core.service, table.projection.name)})`);
        await lastFill();
        await showTable(client, table);
      });
      return;
    } catch (error) {
      if (sqlState(error) !== DEADLOCK || tries >= FLIP_TRIES_MAX) throw error;
    }
  }
}

async function showTable(
  client: PoolClient,
  { projection, physical, number, declaration, replaces }: NewTable,
): Promise<void> {
  const { name } = projection;
  await client.query(`drop view if exists ${quoteName(name)}`);
  await client.query(`create view ${quoteName(name)} as select * from ${quoteName(physical)}`);
  if (replaces !== undefined) await client.query(`drop table ${quoteName(physicalName(name, replaces))}`);
  await client.query(
    `insert into projections (name, live, declaration) values ($1, $2, $3)
     on conflict (name) do update set live = excluded.live, declaration = excluded.declaration`,
    [name, number, declaration],
  );
}

/** The order of the sequencer, continued over events that are committed and not numbered yet. */
async function readOrdered(
  core: LogCore,
  client: PoolClient,
  after: Cursor,
  which: 'sequenced' | 'committed',
): Promise<{ events: Recorded[]; cursor: Cursor }> {
  const { rows } = await client.query<[xid: string, position: number, seq: number | null, json: string]>({
    rowMode: 'array',
    text: `select e.xid::text, e.position, e.seq, ${EVENT_JSON}
             from (select e.*, o.seq, ${bytesUpTo('e.xid, e.position')}
                     from events e left join log_order o on o.position = e.position
                    where (e.xid, e.position) > ($1::xid8, $2) ${which === 'sequenced' ? 'and o.seq is not null' : ''}
                    order by e.xid, e.position limit $3) e
            where ${WITHIN_PAGE} order by e.xid, e.position`,
    values: [after.xid, after.position, PAGE_EVENTS],
  });
  const last = rows.at(-1);
  const cursor = last ? { xid: last[0], position: last[1], seq: last[2] ?? after.seq } : after;
  const events = rows.map(([, , seq, json]) => {
    const event = readRecorded(core.service, core.catalog, json);
    return seq === null ? event : Object.assign(event, { seq });
  });
  return { events, cursor };
}
