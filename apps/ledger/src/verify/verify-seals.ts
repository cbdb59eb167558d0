import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PredictionIndex } from '../predictions/prediction-index';
import { SealProof } from '../predictions/seal-proof';
import { EventLookup } from '../timeline/event-lookup';
import { NO_HORIZON, type LedgerEvent } from '../timeline/ledger-event';
import type { CopyFault, SealReport } from './copy-report';
import { DataSource } from 'typeorm';
import { SEALS, SEALS_COUNT } from './verify.sql';

/** Each is an object to fetch. */
const SEALS_CHECKED_MAX = 1_000;

/** Holds the predictions that are kept here against the seals over them. */
@Injectable()
export class VerifySeals {
  constructor(
    private readonly dataSource: DataSource,
    private readonly seals: SealProof,
    private readonly predictions: PredictionIndex,
    private readonly events: EventLookup,
  ) {}

  async verify(): Promise<SealReport> {
    const [counted] = (await this.dataSource.query(SEALS_COUNT)) as { seals: number }[];
    const newest = (await this.dataSource.query(SEALS, [SEALS_CHECKED_MAX])) as { eventId: string; tenant: string }[];
    const faults: CopyFault[] = [];
    let checked = 0;
    let predictions = 0;
    for (const { tenant, eventId } of newest) {
      // One that is not in the timeline yet is another time's.
      const [seal] = await this.events.byIds(tenant, [eventId], NO_HORIZON);
      if (!seal) continue;
      checked += 1;
      const found = await this.verifySeal(tenant, seal);
      predictions += found.predictions;
      if (found.fault) faults.push(found.fault);
    }
    return { seals: counted!.seals, checked, predictions, faults };
  }

  private async verifySeal(tenant: string, seal: LedgerEvent): Promise<{ predictions: number; fault?: CopyFault }> {
    const { stream, version, seq } = seal;
    const at = { tenant, stream, version, seq };
    const list = await this.seals.readList(seal);
    if (typeof list === 'string') return { predictions: 0, fault: { kind: 'seal-broken', ...at, message: list } };
    const kept = await this.predictions.digests(tenant, list.map(({ requestId }) => requestId)); // prettier-ignore
    for (const { requestId, sha256 } of list) {
      const prediction = kept.get(requestId);
      // One that is not kept here any more is still sealed; there is only nothing to compare.
      if (!prediction || createHash('sha256').update(prediction.payload).digest('hex') === sha256) continue;
      const message = `the prediction ${requestId} kept here is not the one that was sealed`;
      return { predictions: kept.size, fault: { kind: 'prediction-changed', ...at, message } };
    }
    return { predictions: kept.size };
  }
}
