import type { IndexedPrediction } from '../predictions/prediction-index';
import type { SealFinding } from '../predictions/seal-proof';
import type { LedgerEvent } from '../timeline/ledger-event';

/** A place that a run read data from, and the commit that it stood for when it was read. */
export interface DataRead {
  readonly repository: string;
  /** As the client named it. */
  readonly ref: string;
  /** Null when the ref was never a branch, a tag or a commit that the ledger knows. */
  readonly commitId: string | null;
  readonly paths: readonly string[];
}

/** All that an explanation is made of: each list in its order in the log, none beyond the horizon. */
export interface Evidence {
  readonly prediction: IndexedPrediction;
  readonly seal: SealFinding;
  /** Of the endpoint that answered. */
  readonly endpointEvents: readonly LedgerEvent[];
  /** Of the registered model that answered. */
  readonly modelEvents: readonly LedgerEvent[];
  /** Of the run that the version comes from, but for its metrics. */
  readonly runEvents: readonly LedgerEvent[];
  /** The latest of the run's batches of metrics, the newest first. */
  readonly metricEvents: readonly LedgerEvent[];
  /** Of the logged model that the version comes from. */
  readonly loggedModelEvents: readonly LedgerEvent[];
  readonly dataRead: readonly DataRead[];
  /** Those that made the commits of `dataRead`. */
  readonly commitEvents: readonly LedgerEvent[];
  /** What led to the training, from the nearest cause back. */
  readonly causes: readonly LedgerEvent[];
  /** What monitors said of windows with this request in them, and of what followed from that. */
  readonly observations: readonly LedgerEvent[];
}
