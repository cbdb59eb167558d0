import { createHash } from 'node:crypto';
import { Pool } from 'pg';

export interface PlainEvent {
  readonly stream: string;
  readonly type: string;
  readonly data: object;
  readonly meta: object;
}

interface Waiting {
  readonly event: PlainEvent;
  resolve(): void;
  reject(error: unknown): void;
}

const TABLE = `
create table events (
  position bigint generated always as identity primary key,
  stream text not null, version bigint not null, type text not null, data json not null, meta json not null,
  at timestamptz not null default now(), hash bytea not null, unique (stream, version)
)`;
const INSERT = `
insert into events (stream, version, type, data, meta, hash)
select * from unnest($1::text[], $2::bigint[], $3::text[], $4::json[], $5::json[], $6::bytea[])`;
const PAGE = `select * from events where position > $1 order by position limit ${1_000}`;
const BATCH_EVENTS_MAX = 200;
const FLUSHES_MAX = 2;

/**
 * What one writes in an afternoon: a table of events, a group commit from Node that hashes each stream's chain, and a reader that pages
 * through the table. No public order, no command ids, no second process, nothing kept of a stream but what this process remembers. The
 * event log's figures stand beside its, so that a slow machine is told from slow code.
 */
export class PlainLog {
  private readonly heads = new Map<string, { version: number; hash: Buffer }>();
  private queue: Waiting[] = [];
  private flushing = 0;
  private scheduled = false;

  private constructor(private readonly pool: Pool) {}

  static async open(url: string): Promise<PlainLog> {
    const pool = new Pool({ connectionString: url, max: FLUSHES_MAX });
    await pool.query(TABLE);
    return new PlainLog(pool);
  }

  /** Resolves after the commit. */
  append(event: PlainEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      this.queue.push({ event, resolve, reject });
      this.flushSoon();
    });
  }

  /** Calls back with every page from the oldest event on. */
  async replay(onPage: (events: { position: string; data: object }[]) => void): Promise<void> {
    for (let after = '0'; ;) {
      const { rows } = await this.pool.query<{ position: string; data: object }>(PAGE, [after]);
      if (rows.length === 0) return;
      onPage(rows);
      after = rows.at(-1)!.position;
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private flushSoon(): void {
    if (this.scheduled || this.queue.length === 0 || this.flushing >= FLUSHES_MAX) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      void this.flush(this.queue.splice(0, BATCH_EVENTS_MAX));
    });
  }

  private async flush(batch: readonly Waiting[]): Promise<void> {
    this.flushing += 1;
    this.flushSoon();
    try {
      await this.pool.query({
        name: 'insert',
        text: INSERT,
        values: columnsOf(batch.map(({ event }) => this.link(event))),
      });
      batch.forEach(({ resolve }) => resolve());
    } catch (error) {
      batch.forEach(({ reject }) => reject(error));
    } finally {
      this.flushing -= 1;
      this.flushSoon();
    }
  }

  private link({ stream, type, data, meta }: PlainEvent): unknown[] {
    const head = this.heads.get(stream) ?? { version: 0, hash: Buffer.alloc(32) };
    const version = head.version + 1;
    const [dataText, metaText] = [JSON.stringify(data), JSON.stringify(meta)];
    const hash = createHash('sha256')
      .update(head.hash)
      .update(`${stream} ${version} ${type} ${dataText} ${metaText}`)
      .digest();
    this.heads.set(stream, { version, hash });
    return [stream, version, type, dataText, metaText, hash];
  }
}

/** Rows as the arrays that unnest takes. */
function columnsOf(rows: readonly unknown[][]): unknown[][] {
  return rows[0]!.map((_, column) => rows.map((row) => row[column]));
}
