import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { EventStore, lockKey, stream } from '@mledger/event-log';
import { newObjectKey, type ObjectStore } from '@mledger/object-store';
import { Ids, Logger, OBJECT_STORE } from '@mledger/service-kit';
import { DataSource, type EntityManager } from 'typeorm';
import { endpointSealDecider } from './endpoint-seal';
import { merkleRoot } from './merkle';

export const SEAL_PREDICTIONS_MAX = 1_000;
export const SEAL_AFTER_MS = 10_000;
const LOOK_EVERY_MS = 1_000;

interface Group {
  readonly tenant: string;
  readonly endpoint_id: string;
  readonly endpoint: string;
  readonly revision: number;
}

/** Seals the predictions of each revision, every thousand or every ten seconds: the Merkle root goes into the log. */
@Injectable()
export class PredictionSealer implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: EventStore,
    private readonly dataSource: DataSource,
    private readonly ids: Ids,
    private readonly logger: Logger,
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
  ) {}

  onApplicationBootstrap(): void {
    const look = () => {
      this.turn = this.sealDue().catch((error: unknown) =>
        this.logger.error({ error }, 'predictions could not be sealed'),
      );
      void this.turn.then(() => (this.timer = this.timer && setTimeout(look, LOOK_EVERY_MS)));
    };
    this.timer = setTimeout(look, LOOK_EVERY_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.turn;
  }

  /** Seals every group that is full or old enough. One replica at a time; the others find the lock taken. */
  async sealDue(): Promise<void> {
    // Asked every second, so an endpoint that rests costs one look and no transaction.
    const [{ waiting }] = await this.dataSource.query('select exists (select from unsealed_predictions) as waiting');
    for (let more: boolean = waiting; more;) {
      more = await this.dataSource.transaction(async (manager) => {
        const [{ held }] = await manager.query('select pg_try_advisory_xact_lock($1) as held', [
          lockKey('serving', 'seal', 'predictions'),
        ]);
        if (!held) return false;
        const [group]: Group[] = await manager.query(
          `select tenant, endpoint_id, min(endpoint) as endpoint, revision from unsealed_predictions
           group by tenant, endpoint_id, revision
           having count(*) >= $1 or min(arrived_at) < now() - $2 * interval '1 millisecond' limit 1`,
          [SEAL_PREDICTIONS_MAX, SEAL_AFTER_MS],
        );
        if (group) await this.seal(group, manager);
        return group !== undefined;
      });
    }
  }

  private async seal(
    { tenant, endpoint_id: endpointId, endpoint, revision }: Group,
    manager: EntityManager,
  ): Promise<void> {
    // Exactly the rows that are sealed go: replicas make ids side by side, so a row between the first and the last of these
    // may arrive while they are being sealed.
    const rows: { request_id: string; digest: Buffer }[] = await manager.query(
      `with due as (
         delete from unsealed_predictions where (tenant, endpoint_id, revision, request_id) in (
           select tenant, endpoint_id, revision, request_id from unsealed_predictions
           where tenant = $1 and endpoint_id = $2 and revision = $3 order by request_id limit $4
         ) returning request_id, digest
       ) select request_id, digest from due order by request_id`,
      [tenant, endpointId, revision, SEAL_PREDICTIONS_MAX],
    );
    const from = rows[0]!.request_id;
    const to = rows.at(-1)!.request_id;
    const objectKey = newObjectKey({ tenant, service: 'serving', ownerId: endpointId, id: this.ids.uuidv7() });
    const list = rows.map(({ request_id, digest }) => ({ requestId: request_id, sha256: digest.toString('hex') }));
    await this.objects.put(objectKey, Buffer.from(JSON.stringify(list)), { contentType: 'application/json' });
    const root = merkleRoot(rows.map(({ digest }) => digest)).toString('hex');
    const seal = { endpointId, endpoint, revision, from, to, count: rows.length, merkleRoot: root, objectKey };
    const target = {
      decider: endpointSealDecider,
      stream: stream(tenant, 'endpoint-seal', endpointId),
      command: { type: 'SealPredictions', seal } as const,
    };
    const context = { tenant, actor: 'service:serving', cause: `request:${to}`, correlation: to };
    await this.store.handle(target, context, { transaction: manager });
  }
}
