import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { PipelineRunRow } from './pipeline-runs.projection';
import { PIPELINE, PIPELINES, RUN, RUNNING, RUNS } from './pipeline-queries.sql';
import type { PipelineRow } from './pipelines.projection';

export type Pipeline = Omit<PipelineRow, 'tenant'>;
export type PipelineRun = Omit<PipelineRunRow, 'tenant'>;

/** Reads pipelines and their runs as they stand. */
@Injectable()
export class PipelineQueries {
  constructor(private readonly database: DataSource) {}

  async pipeline(tenant: string, name: string): Promise<Pipeline | undefined> {
    const [row] = await this.database.query<Pipeline[]>(PIPELINE, [tenant, name]);
    return row;
  }

  /** By name, one more than the limit if there are more. */
  async pipelines(tenant: string, page: { after?: string; limit: number }): Promise<Pipeline[]> {
    return this.database.query(PIPELINES, [tenant, page.after ?? '', page.limit + 1]);
  }

  async run(tenant: string, pipelineRunId: string): Promise<PipelineRun | undefined> {
    const [row] = await this.database.query<PipelineRun[]>(RUN, [tenant, pipelineRunId]);
    return row;
  }

  /** The youngest first, one more than the limit if there are more. */
  async runs(tenant: string, of: { pipelineId: string; after?: string; limit: number }): Promise<PipelineRun[]> {
    return this.database.query(RUNS, [tenant, of.pipelineId, of.after ?? null, of.limit + 1]);
  }

  /** What is left to do, of all tenants, the oldest first. */
  async running(limit: number): Promise<{ tenant: string; pipelineRunId: string }[]> {
    return this.database.query(RUNNING, [limit]);
  }
}
