import type { ServiceName } from '@mledger/contracts';
import { lockKey, projectionTable } from '@mledger/event-log';
import type { DataSource, EntityManager } from 'typeorm';
import { failureKind, TransientFailure } from '../failure';
import type { ReadModel } from './handler';
import {
  ADD_READ_MODEL,
  BEGIN_BUILDING,
  FORGET_GENERATION,
  IS_BEHIND,
  LOCK_EXCLUSIVE,
  READ_GENERATIONS,
  SHOW_GENERATION,
  TRY_LOCK_SHARED,
} from './read-model.sql';

const TRIES_MAX = 5;

interface Generations {
  readonly live: number;
  readonly building: number | null;
  readonly ddlHash: string;
}

/** This table was replaced, by a rebuild on another replica: what is meant for it now goes to its successor. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

/**
 * The tables of read models. Queries read the view `<name>`; behind it lies a table `<name>__<generation>`, filled from
 * the oldest message on under positions of its own. To rebuild is to fill another generation and to turn the view to it.
 */
export class ReadModelTables {
  constructor(
    private readonly service: ServiceName,
    private readonly dataSource: DataSource,
  ) {}

  /** Makes what is missing; what was declared otherwise when it was made begins anew, empty. Returns the live generation. */
  ensure(model: ReadModel): Promise<number> {
    const { ddlHash } = projectionTable(this.dataSource, model);
    return this.exclusively(model, async (manager) => {
      const present = await readGenerations(manager, model);
      if (present && present.ddlHash === ddlHash) return present.live;
      const generation = (present?.building ?? present?.live ?? 0) + 1;
      if (!present) await manager.query(ADD_READ_MODEL, [model.name]);
      await this.createTable(manager, model, generation);
      await this.turnTo(manager, model, generation, present);
      return generation;
    });
  }

  /** An empty generation beside the live one. */
  begin(model: ReadModel): Promise<number> {
    return this.exclusively(model, async (manager) => {
      const present = await readGenerations(manager, model);
      // What is being built already was left over by a process that died.
      if (present?.building) await this.drop(manager, model, present.building);
      const generation = (present?.building ?? present?.live ?? 0) + 1;
      await this.createTable(manager, model, generation);
      await manager.query(BEGIN_BUILDING, [model.name, generation]);
      return generation;
    });
  }

  /**
   * Turns the view to a generation once it has handled all that the live one has. The live one is held meanwhile, so
   * that the new one, which goes on, cannot but reach it.
   * @param reached asks again until it has; rejects when it takes too long
   */
  show(
    model: ReadModel,
    generation: number,
    reached: (isBehind: () => Promise<boolean>) => Promise<void>,
  ): Promise<void> {
    return this.exclusively(model, async (manager) => {
      const present = await readGenerations(manager, model);
      const old = tableName(model.name, present!.live);
      await reached(async () => {
        const [row] = (await manager.query(IS_BEHIND, [old, tableName(model.name, generation)])) as {
          behind: boolean;
        }[];
        return row!.behind;
      });
      await this.turnTo(manager, model, generation, present);
    });
  }

  async live(model: ReadModel): Promise<number> {
    return (await readGenerations(this.dataSource.manager, model))!.live;
  }

  /** Called in the transaction that writes to a generation. @throws {Superseded} */
  async holdGeneration(manager: EntityManager, model: ReadModel, generation: number): Promise<void> {
    // One that is being built is not to be held up by the turn that waits for it.
    if ((await readGenerations(manager, model))?.building === generation) return;
    const [lock] = (await manager.query(TRY_LOCK_SHARED, [this.lockKey(model)])) as { held: boolean }[];
    // Waiting here would hold a connection that the new generation needs to get ready.
    if (!lock!.held) throw new TransientFailure(`${model.name} is about to be replaced`);
    const live = (await readGenerations(manager, model))?.live;
    if (live !== generation)
      throw new Superseded(`${model.name} is in its generation ${live}, no more in ${generation}`);
  }

  private async turnTo(
    manager: EntityManager,
    model: ReadModel,
    generation: number,
    before: Generations | undefined,
  ): Promise<void> {
    const { ddlHash } = projectionTable(this.dataSource, model);
    await manager.query(`drop view if exists ${quoted(model.name)}`);
    await manager.query(
      `create view ${quoted(model.name)} as select * from ${quoted(tableName(model.name, generation))}`,
    );
    for (const old of [before?.live, before?.building]) {
      if (old && old !== generation) await this.drop(manager, model, old);
    }
    await manager.query(SHOW_GENERATION, [model.name, generation, ddlHash]);
  }

  private async drop(manager: EntityManager, model: ReadModel, generation: number): Promise<void> {
    await manager.query(`drop table if exists ${quoted(tableName(model.name, generation))}`);
    for (const forget of FORGET_GENERATION) await manager.query(forget, [tableName(model.name, generation)]);
  }

  private async createTable(manager: EntityManager, model: ReadModel, generation: number): Promise<void> {
    for (const ddl of projectionTable(this.dataSource, model).ddl(tableName(model.name, generation))) {
      await manager.query(ddl);
    }
  }

  /** A reader that waits for us, while it holds what we want, makes Postgres end one of us; then once more. */
  private async exclusively<T>(model: ReadModel, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.dataSource.transaction(async (manager) => {
          await manager.query(LOCK_EXCLUSIVE, [this.lockKey(model)]);
          return work(manager);
        });
      } catch (error) {
        if (failureKind(error) !== 'conflict' || tries >= TRIES_MAX) throw error;
      }
    }
  }

  private lockKey({ name }: ReadModel): string {
    return String(lockKey(this.service, 'read-model', name));
  }
}

/** The table of one generation; also the name under which its positions are stored. */
export function tableName(model: string, generation: number): string {
  return `${model}__${generation}`;
}

async function readGenerations(manager: EntityManager, model: ReadModel): Promise<Generations | undefined> {
  const [row] = (await manager.query(READ_GENERATIONS, [model.name])) as Generations[];
  return row;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
