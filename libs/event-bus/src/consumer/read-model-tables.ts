import { createHash, randomUUID } from 'node:crypto';
import type { ServiceName } from '@mledger/contracts';
import { lockKey } from '@mledger/event-log';
import { type DataSource, type EntityManager, Table } from 'typeorm';
import { failureKind, TransientFailure } from '../failure';
import type { ReadModel } from './handler';
import {
  ADOPT,
  BEGIN_BUILDING,
  FORGET,
  IS_BEHIND,
  LOCK_EXCLUSIVE,
  LOCK_SHARED,
  READ_BUILDING,
  READ_DDL_HASH,
  SHOWN,
  STORE_DDL_HASH,
  TRY_LOCK_SHARED,
} from './read-model.sql';

const TRIES_MAX = 5;

/**
 * The tables of read models. The live one bears the model's name; one that is being rebuilt bears it too, in the schema
 * `<service>__building`, under positions of its own, and takes the live one's place when it has reached it.
 */
export class ReadModelTables {
  /** As this process declares them. */
  private readonly declarations = new Map<string, string>();

  constructor(
    private readonly service: ServiceName,
    private readonly dataSource: DataSource,
    private readonly inProcess: boolean,
  ) {}

  /** Makes the table if it is missing, or was declared otherwise (its columns, or the events it wants) when it was made; then it is filled from the oldest message on. */
  async ensure(model: ReadModel): Promise<void> {
    const table = Table.create(this.dataSource.getMetadata(model.entity), this.dataSource.driver);
    if (table.name !== model.name) throw new Error(`the entity of read model ${model.name} is named ${table.name}`);
    const { columns, indices, uniques, checks } = table;
    const ddlHash = createHash('sha256')
      .update(JSON.stringify([columns, indices, uniques, checks, model.from.toSorted(), model.types.toSorted()]))
      .digest('hex');
    this.declarations.set(model.name, ddlHash);
    await this.transaction(async (manager) => {
      await this.lock(manager, LOCK_EXCLUSIVE, 'read-model', model);
      const [present] = (await manager.query(READ_DDL_HASH, [model.name])) as { ddlHash: string }[];
      if (present?.ddlHash === ddlHash) return;
      await manager.query(`drop table if exists ${quoted(model.name)}`);
      for (const forget of FORGET) await manager.query(forget, [model.name]);
      await manager.queryRunner!.createTable(table, false, false, true);
      await manager.query(STORE_DDL_HASH, [model.name, ddlHash]);
    });
  }

  /** Makes an empty table beside the live one; what another rebuild had begun is given up. Returns this rebuild's id. */
  async begin(model: ReadModel): Promise<string> {
    const build = randomUUID();
    const table = `${quoted(this.buildingSchema)}.${quoted(model.name)}`;
    await this.transaction(async (manager) => {
      await this.lock(manager, LOCK_EXCLUSIVE, 'read-model-building', model);
      await this.assertDeclared(manager, model);
      await manager.query(`drop table if exists ${table}`);
      for (const forget of FORGET) await manager.query(forget, [buildingId(model.name)]);
      await manager.query(`create table ${table} (like ${quoted(model.name)} including all)`);
      await manager.query(BEGIN_BUILDING, [model.name, build]);
    });
    return build;
  }

  /**
   * Puts the rebuilt table in the live one's place, positions and all, once it has handled all that the live one has.
   * The live one is held meanwhile, so that the other, which goes on, cannot but reach it.
   * @param reached asks again until the answer is no; rejects when that takes too long
   */
  async swap(
    model: ReadModel,
    build: string,
    reached: (isBehind: () => Promise<boolean>) => Promise<void>,
  ): Promise<void> {
    const building = buildingId(model.name);
    await this.transaction(async (manager) => {
      await this.lock(manager, LOCK_EXCLUSIVE, 'read-model', model);
      await reached(async () => {
        const [row] = (await manager.query(IS_BEHIND, [model.name, building, this.inProcess])) as { behind: boolean }[];
        return row!.behind;
      });
      await this.lock(manager, LOCK_EXCLUSIVE, 'read-model-building', model);
      await this.assertBuilding(manager, model, build);
      await manager.query(`drop table ${quoted(model.name)}`);
      await manager.query(
        `alter table ${quoted(this.buildingSchema)}.${quoted(model.name)} set schema ${quoted(this.service)}`,
      );
      for (const forget of FORGET) await manager.query(forget, [model.name]);
      for (const adopt of ADOPT) await manager.query(adopt, [model.name, building]);
      await manager.query(SHOWN, [model.name]);
    });
  }

  /**
   * Called in the transaction that writes to the live table or moves its position, so that it is not replaced meanwhile. A table that
   * another version of the service has made anew is filled by that version, from the oldest message on.
   */
  async holdLive(manager: EntityManager, model: ReadModel): Promise<void> {
    const [lock] = await this.lock(manager, TRY_LOCK_SHARED, 'read-model', model);
    // Waiting here would hold a connection that the rebuilt one needs to get ready.
    if (!lock?.held) throw new TransientFailure(`${model.name} is about to be replaced`);
    await this.assertDeclared(manager, model);
  }

  /** Called in the transaction that writes to the table under construction: its name means that one from here on. */
  async enterBuilding(manager: EntityManager, model: ReadModel, build: string): Promise<void> {
    await this.lock(manager, LOCK_SHARED, 'read-model-building', model);
    // Without it the name would mean the live table.
    await this.assertBuilding(manager, model, build);
    await manager.query(`set local search_path = ${quoted(this.buildingSchema)}, ${quoted(this.service)}`);
  }

  /** @throws {TransientFailure} so that nothing is parked for the sake of a table that is gone */
  async assertBuilding(manager: EntityManager, model: ReadModel, build: string): Promise<void> {
    const [row] = (await manager.query(READ_BUILDING, [model.name])) as { building: string | null }[];
    if (row?.building !== build) throw new TransientFailure(`this rebuild of ${model.name} is over`);
  }

  private async assertDeclared(manager: EntityManager, { name }: ReadModel): Promise<void> {
    const [present] = (await manager.query(READ_DDL_HASH, [name])) as { ddlHash: string }[];
    if (present?.ddlHash !== this.declarations.get(name))
      throw new TransientFailure(`another version of this service has made ${name} anew: restart this process`);
  }

  private get buildingSchema(): string {
    return `${this.service}__building`;
  }

  /** A reader that waits for us, while it holds what we want, makes Postgres end one of us; then once more. */
  private async transaction(work: (manager: EntityManager) => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.dataSource.transaction(work);
      } catch (error) {
        if (failureKind(error) !== 'conflict' || tries >= TRIES_MAX) throw error;
      }
    }
  }

  private async lock(
    manager: EntityManager,
    sql: string,
    purpose: 'read-model' | 'read-model-building',
    { name }: ReadModel,
  ): Promise<{ held?: boolean }[]> {
    return (await manager.query(sql, [String(lockKey(this.service, purpose, name))])) as { held?: boolean }[];
  }
}

/** Under which the positions of a read model that is being rebuilt are stored. */
export function buildingId(model: string): string {
  return `${model}__building`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
