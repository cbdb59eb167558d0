import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { PredictionPayload } from '@mledger/contracts';
import { ApiError, Clock, Logger } from '@mledger/service-kit';
import { DataSource } from 'typeorm';
import { FORGET_PREDICTIONS, PREDICTION_BY_ID, PREDICTIONS_BY_IDS, PREDICTIONS_OF_CLIENT } from './predictions.sql';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A year and a month, so that the whole of last year can be explained when it is audited: docs/adr/0066. */
export const PREDICTIONS_KEPT_DAYS = 400;
const FORGET_EVERY_MS = 60 * 60 * 1000;
const FORGET_AT_ONCE_MAX = 10_000;
const SAME_NAME_MAX = 10;
/** A prediction is heard of a moment after its answer; one that was just asked for is waited for. */
const ARRIVAL_MS_MAX = 2_000;
const ARRIVAL_LOOK_MS = 50;
const JUST_NOW_MS = 10_000;
const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export interface IndexedPrediction {
  readonly requestId: string;
  /** SHA-256 of the message that carried it. */
  readonly digest: Buffer;
  readonly payload: PredictionPayload;
}

interface PredictionRow {
  readonly requestId: string;
  readonly digest: Buffer;
  /** The message itself, byte for byte. */
  readonly payload: string;
}

/** The predictions that the ledger has heard of and not yet forgotten. */
@Injectable()
export class PredictionIndex implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    const forget = () =>
      void this.forgetOld().catch((error: unknown) =>
        this.logger.error({ error }, 'old predictions could not be removed'),
      );
    this.timer = setInterval(forget, FORGET_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /**
   * A prediction by the id that the server gave its request, or by the client's own where only one has it.
   *
   * @throws ApiError 404, and 409 naming the requests when several go by the client's id
   */
  async get(tenant: string, id: string): Promise<IndexedPrediction> {
    const found = await this.arrived(tenant, id);
    if (found) return prediction(found);
    const named = (await this.dataSource.query(PREDICTIONS_OF_CLIENT, [tenant, id, SAME_NAME_MAX])) as PredictionRow[];
    const [only] = named;
    if (!only) throw ApiError.notFound(`There is no prediction ${id}`);
    if (named.length === 1) return prediction(only);
    const requests = named.map(({ requestId }) => requestId);
    throw ApiError.conflict(`${id} is what a client called several requests: name one of theirs`, { requests });
  }

  private async arrived(tenant: string, id: string): Promise<PredictionRow | undefined> {
    const endMs = this.clock.monotonicMs() + (isOfJustNow(id, this.clock.nowMs()) ? ARRIVAL_MS_MAX : 0);
    for (;;) {
      const [found] = (await this.dataSource.query(PREDICTION_BY_ID, [tenant, id])) as PredictionRow[];
      if (found || this.clock.monotonicMs() >= endMs) return found;
      await pause(ARRIVAL_LOOK_MS);
    }
  }

  /** Those of them that are here, by id. */
  async digests(tenant: string, ids: readonly string[]): Promise<Map<string, PredictionRow>> {
    const rows = (await this.dataSource.query(PREDICTIONS_BY_IDS, [tenant, ids])) as PredictionRow[];
    return new Map(rows.map((row) => [row.requestId, row]));
  }

  async forgetOld(): Promise<void> {
    const before = new Date(this.clock.nowMs() - PREDICTIONS_KEPT_DAYS * DAY_MS).toISOString();
    for (let removed = FORGET_AT_ONCE_MAX; removed === FORGET_AT_ONCE_MAX;) {
      // TypeORM answers a delete with [rows, count].
      const [, count] = (await this.dataSource.query(FORGET_PREDICTIONS, [before, FORGET_AT_ONCE_MAX])) as [[], number];
      removed = count;
    }
  }
}

/** Whether the server can have made the id a moment ago: a UUIDv7 begins with its time. */
function isOfJustNow(id: string, nowMs: number): boolean {
  const [, high, low] = UUID_V7.exec(id) ?? [];
  return high !== undefined && low !== undefined && Math.abs(nowMs - Number.parseInt(high + low, 16)) < JUST_NOW_MS;
}

function prediction({ requestId, digest, payload }: PredictionRow): IndexedPrediction {
  return { requestId, digest, payload: JSON.parse(payload) as PredictionPayload };
}
