import { Injectable } from '@nestjs/common';
import { CommandRefused, EventStore, VersionConflict, type CommandContext } from '@mledger/event-log';
import { Ids } from '@mledger/service-kit';
import type { EntityManager } from 'typeorm';
import type { ReferenceColumns } from '../reference/reference-profile';
import { ReferenceProfiles } from '../reference/reference-profiles';
import { dropAllRows, dropOpenRows } from '../windows/window-rows';
import { keepsPredictions, monitorDecider, type MonitorCommand, type MonitorDefinition } from './monitor';
import { monitorNameDecider } from './monitor-name';
import { monitorStream, nameStream } from './monitor-streams';

/** Loads, decides and appends for monitors, which clients know by name. */
@Injectable()
export class MonitorHandler {
  constructor(
    private readonly store: EventStore,
    private readonly ids: Ids,
    private readonly profiles: ReferenceProfiles,
  ) {}

  /**
   * Defines a monitor, or defines it anew: then its open window begins again.
   *
   * @param columns the reference's rows; undefined: they are taken from the first payloads
   */
  async define(
    name: string,
    definition: Omit<MonitorDefinition, 'profile'>,
    columns: ReferenceColumns | undefined,
    context: CommandContext,
  ): Promise<void> {
    const { tenant } = context;
    const known = await this.monitorId(tenant, name);
    const monitorId = known ?? this.ids.uuidv7();
    const profile = columns ? await this.profiles.put({ tenant, monitorId }, columns) : null;
    const define = { type: 'DefineMonitor', monitorId, monitor: name, definition: { ...definition, profile } } as const;
    const { state } = await this.store.load(monitorDecider, monitorStream(tenant, monitorId));
    const drop = keepsPredictions(state.definition, definition) ? dropOpenRows : dropAllRows;
    const claim = { type: 'ClaimName', monitorId, monitor: name } as const;
    try {
      await this.store.handleAll(
        [
          { decider: monitorDecider, stream: monitorStream(tenant, monitorId), command: define },
          { decider: monitorNameDecider, stream: nameStream(tenant, name), command: claim },
        ],
        context,
        {
          within: async (manager, [handled]) => {
            if (handled!.events.length > 0) await drop(manager, { tenant, monitorId });
          },
        },
      );
    } catch (error) {
      const isRefused = error instanceof CommandRefused || error instanceof VersionConflict;
      // Nothing else can refer to a monitor that does not come to be.
      if (isRefused && known === null && profile) await this.profiles.delete(profile);
      throw error;
    }
  }

  /** @throws CommandRefused not-found */
  async delete(name: string, context: CommandContext): Promise<void> {
    const { tenant } = context;
    // Under an id that nothing has, the decider refuses; and a repeat of what was done gets its first answer.
    const monitorId = (await this.monitorId(tenant, name)) ?? this.ids.uuidv7();
    const release = { type: 'ReleaseName', monitorId, monitor: name } as const;
    await this.store.handleAll(
      [
        { decider: monitorDecider, stream: monitorStream(tenant, monitorId), command: { type: 'DeleteMonitor' } },
        { decider: monitorNameDecider, stream: nameStream(tenant, name), command: release },
      ],
      context,
      { within: (manager) => dropAllRows(manager, { tenant, monitorId }) },
    );
  }

  /** Records what came of a window, in the transaction that worked on it. */
  async record(
    { tenant, monitorId }: { tenant: string; monitorId: string },
    command: Extract<MonitorCommand, { type: 'TakeReference' | 'RecordWindow' | 'RecordPerformance' }>,
    context: CommandContext,
    transaction: EntityManager,
  ): Promise<void> {
    const target = { decider: monitorDecider, stream: monitorStream(tenant, monitorId), command };
    await this.store.handle(target, context, { transaction });
  }

  /**
   * Whether a request with an idempotency key has told its labels before; if not, it has now. Needs the monitor's lock, and comes
   * before the transaction's first write.
   */
  async isRepeatOfLabels(
    { tenant, monitorId }: { tenant: string; monitorId: string },
    context: CommandContext,
    transaction: EntityManager,
  ): Promise<boolean> {
    if (context.commandId === undefined) return false;
    const command = { type: 'TakeLabels' } as const;
    const target = { decider: monitorDecider, stream: monitorStream(tenant, monitorId), command };
    // Of several monitors no one's version can be meant.
    const { replayed } = await this.store.handle(target, { ...context, expectedVersion: undefined }, { transaction });
    return replayed;
  }

  private async monitorId(tenant: string, name: string): Promise<string | null> {
    const { state } = await this.store.load(monitorNameDecider, nameStream(tenant, name));
    return state.monitorId;
  }
}
