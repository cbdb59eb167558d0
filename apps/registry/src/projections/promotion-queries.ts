import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { PROMOTION, PROMOTIONS, TENURE, TENURES } from './promotion-queries.sql';
import type { PromotionRow } from './promotions.projection';

export type Promotion = Omit<PromotionRow, 'tenant' | 'modelId'> & { readonly model: string | null };

export interface Tenure {
  readonly streamVersion: number;
  readonly version: number | null;
  readonly fromVersion: number | null;
  readonly since: string;
  readonly by: string;
  readonly reason: string;
  readonly promotionId: string | null;
  readonly eventId: string;
  readonly cause: string;
  readonly correlation: string;
}

/** Reads promotions and who held which alias when. */
@Injectable()
export class PromotionQueries {
  constructor(private readonly database: DataSource) {}

  async promotion(tenant: string, promotionId: string): Promise<Promotion | undefined> {
    const [row] = await this.database.query<Promotion[]>(PROMOTION, [tenant, promotionId]);
    return row;
  }

  /** The youngest first, one more than the limit if there are more. */
  async promotions(
    tenant: string,
    of: { modelId: string; status?: string; after?: string; limit: number },
  ): Promise<Promotion[]> {
    const parameters = [tenant, of.modelId, of.status ?? null, of.after ?? null, of.limit + 1];
    return this.database.query(PROMOTIONS, parameters);
  }

  /** Who held the alias at that version of the model's stream; undefined: it was never set by then. */
  async tenure(
    tenant: string,
    of: { modelId: string; alias: string; streamVersion: number },
  ): Promise<Tenure | undefined> {
    const [row] = await this.database.query<Tenure[]>(TENURE, [tenant, of.modelId, of.alias, of.streamVersion]);
    return row;
  }

  /** The youngest first, one more than the limit if there are more. */
  async tenures(
    tenant: string,
    of: { modelId: string; alias: string; before: number; limit: number },
  ): Promise<(Tenure & { readonly until: string | null })[]> {
    return this.database.query(TENURES, [tenant, of.modelId, of.alias, of.before, of.limit + 1]);
  }
}
