import { Injectable } from '@nestjs/common';
import { notActive } from '../experiment/experiment';
import { RunQueries } from '../queries/run.queries';
import { refused } from '../refused';
import { runNotActive } from './run';

const FRESH_MS = 1000;
const RUNS_MAX = 10_000;

/**
 * Which runs may be written to, as of at most a second ago. Metrics are appended without a decision under the run's lock:
 * deleting a run or its experiment only hides it, so points that arrive while it is being deleted are kept with it and
 * come back with it. Knowing it a second late therefore breaks nothing, and spares each log-batch a query.
 */
@Injectable()
export class ActiveRuns {
  private readonly known = new Map<string, { experimentId: string; freshUntilMs: number }>();

  constructor(private readonly queries: RunQueries) {}

  /**
   * @returns the run's experiment
   * @throws CommandRefused when there is no such run, or it or its experiment is deleted
   */
  async assertActive(tenant: string, runId: string): Promise<string> {
    const key = `${tenant}/${runId}`;
    const known = this.known.get(key);
    if (known && known.freshUntilMs > performance.now()) return known.experimentId;
    this.known.delete(key);
    const standing = await this.queries.standing(tenant, runId);
    if (!standing) throw refused('not-found', 'RUN_NOT_FOUND', `Run with id=${runId} not found`);
    if (standing.runDeleted) throw refused('invalid', 'RUN_DELETED', runNotActive(runId));
    if (standing.experimentDeleted) throw refused('invalid', 'EXPERIMENT_DELETED', notActive(standing.experimentId));
    this.remember(key, standing.experimentId);
    return standing.experimentId;
  }

  /** After a deletion or a restoration here; other replicas notice within a second. */
  forget(): void {
    this.known.clear();
  }

  private remember(key: string, experimentId: string): void {
    this.known.set(key, { experimentId, freshUntilMs: performance.now() + FRESH_MS });
    // The map's order is the order of insertion, so the first is the oldest.
    if (this.known.size > RUNS_MAX) this.known.delete(this.known.keys().next().value ?? '');
  }
}
