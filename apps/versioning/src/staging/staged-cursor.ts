import type { EntryCursor } from '../object-tree/tree-cursor';

export interface StagedRow {
  readonly path: Buffer;
  /** Null: the path is removed. */
  readonly entry: Buffer | null;
}

/** Reads staged rows by ascending path from one on, at most `limit`. */
export type ReadStagedRows = (from: Buffer, limit: number) => Promise<StagedRow[]>;

export const STAGED_PAGE_ROWS = 1000;

/** Walks staged rows by path, a page at a time; removals are among them. */
export class StagedCursor {
  private rows: StagedRow[] = [];
  private index = 0;
  /** Whether there is nothing after the rows at hand. */
  private isLastPage = false;
  private isPlaced = false;

  constructor(private readonly read: ReadStagedRows) {}

  get current(): StagedRow | undefined {
    return this.rows[this.index];
  }

  async seek(key: Buffer): Promise<void> {
    const first = this.rows[0];
    const last = this.rows.at(-1);
    const isWithin = first && last && key.compare(first.path) >= 0 && key.compare(last.path) <= 0;
    const isPastEnd = this.isPlaced && this.isLastPage && (!last || key.compare(last.path) > 0);
    if (isPastEnd) {
      this.index = this.rows.length;
    } else if (isWithin) {
      this.index = this.rows.findIndex(({ path }) => path.compare(key) >= 0);
    } else {
      await this.load(key);
    }
  }

  async advance(): Promise<void> {
    this.index += 1;
    const last = this.rows.at(-1);
    if (this.index < this.rows.length || this.isLastPage || !last) return;
    await this.load(Buffer.concat([last.path, Buffer.of(0)]));
  }

  private async load(from: Buffer): Promise<void> {
    this.rows = await this.read(from, STAGED_PAGE_ROWS);
    this.index = 0;
    this.isLastPage = this.rows.length < STAGED_PAGE_ROWS;
    this.isPlaced = true;
  }
}

/** A tree as it looks with what is staged over it. */
export class OverlayCursor implements EntryCursor {
  constructor(
    private readonly tree: EntryCursor,
    private readonly staged: StagedCursor,
  ) {}

  get current(): { key: Buffer; value: Buffer } | undefined {
    const { current } = this.staged;
    if (current?.entry && this.order() <= 0) return { key: current.path, value: current.entry };
    return this.tree.current;
  }

  async seek(key: Buffer): Promise<void> {
    await this.tree.seek(key);
    await this.staged.seek(key);
    await this.passRemoved();
  }

  async advance(): Promise<void> {
    const order = this.order();
    if (order >= 0) await this.tree.advance();
    if (order <= 0) await this.staged.advance();
    await this.passRemoved();
  }

  /** Leaves both before the next entry that is to be seen. */
  private async passRemoved(): Promise<void> {
    while (this.staged.current && this.staged.current.entry === null && this.order() <= 0) {
      if (this.order() === 0) await this.tree.advance();
      await this.staged.advance();
    }
  }

  /** Below zero where the staged row comes first, zero where both are of one path. */
  private order(): number {
    const staged = this.staged.current;
    const committed = this.tree.current;
    if (!staged) return 1;
    return committed ? staged.path.compare(committed.key) : -1;
  }
}
