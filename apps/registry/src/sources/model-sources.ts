import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { MetricObservation, ModelFile, ModelOrigin } from '@mledger/contracts';
import { canonicalJson, CommandRefused } from '@mledger/event-log';
import { ApiError } from '@mledger/service-kit';
import type { GateEvidence } from '../registered-model/gates';
import { invalid, type ModelSource, type SourceVersion } from '../registered-model/model-source';
import { Arrivals } from './arrivals';
import { knownPipelines } from './known-pipelines.read-model';
import { loggedModelFiles, runFiles, sourceFiles } from './source-files.read-model';
import { sourceLoggedModels } from './source-logged-models.read-model';
import { sourceMetrics } from './source-metrics.read-model';
import { sourceRuns } from './source-runs.read-model';
import { FILES, LATEST_METRICS, LOGGED_MODEL, LOGGED_MODEL_BY_NAME, PIPELINE_NAME, RUN } from './sources.sql';

interface Run {
  readonly runId: string;
  readonly experimentId: string;
  readonly artifactUri: string;
}

interface LoggedModel {
  readonly loggedModelId: string;
  readonly experimentId: string;
  readonly sourceRunId: string | null;
  readonly artifactLocation: string;
  readonly status: 'pending' | 'ready' | 'failed' | 'deleted';
  readonly manifestSha256: string | null;
}

/** What a client says of a version's origin, its source already understood. */
export interface OriginClaim {
  readonly tenant: string;
  readonly source: string;
  readonly parsed: Exclude<ModelSource, SourceVersion>;
  readonly runId: string | null;
  readonly loggedModelId: string | null;
}

/**
 * What experiments and pipelines told, as far as the registry needs it. Their events may arrive a moment after the
 * client that caused them, so what is not there yet is waited for, within a bound.
 */
@Injectable()
export class ModelSources {
  constructor(
    private readonly database: DataSource,
    private readonly arrivals: Arrivals,
  ) {}

  /**
   * Looks up where a version comes from and which files that is.
   *
   * @throws CommandRefused `invalid` when the source does not belong to the run or model that is named, `not-found`
   *   when that does not exist.
   */
  async originOf(claim: OriginClaim): Promise<ModelOrigin> {
    const { parsed } = claim;
    switch (parsed.kind) {
      case 'run':
        return this.originInRun(claim, parsed);
      case 'logged-model':
        return this.originOfLoggedModel(claim, parsed.loggedModelId);
      case 'artifacts':
        return this.originAmongArtifacts(claim, parsed.uri);
      case 'bucket':
      case 'prompt':
        return this.originElsewhere(claim);
    }
  }

  /** The newest figures of these metrics for each version; waits a moment for those that are missing. */
  async evidence(
    tenant: string,
    versions: readonly { readonly version: number; readonly origin: ModelOrigin }[],
    metrics: readonly string[],
  ): Promise<GateEvidence> {
    const wanted = new Set(metrics).size;
    const sides = versions.map(async ({ version, origin }) => {
      if (wanted === 0) return [];
      const parameters = [tenant, origin.loggedModelId ?? '', origin.runId ?? '', metrics];
      const read = () => this.database.query<SourceMetric[]>(LATEST_METRICS, parameters);
      const isThere = (rows: readonly SourceMetric[]) => rows.length === wanted;
      const found = await this.arrivals.until({ from: sourceMetrics.name, read, isThere });
      return found.map((row) => ({ ...row, version, value: finiteOrText(row.value) }));
    });
    return {
      versions: versions.map(({ version }) => version),
      observations: (await Promise.all(sides)).flat(),
    };
  }

  /** The name of the pipeline behind an actor `pipeline:<id>`; null for anybody else. */
  async pipelineOf(tenant: string, actor: string): Promise<string | null> {
    if (!actor.startsWith('pipeline:')) return null;
    const pipelineId = actor.slice('pipeline:'.length);
    const read = () => this.database.query<{ name: string }[]>(PIPELINE_NAME, [tenant, pipelineId]);
    const [pipeline] = await this.arrivals.until({ from: knownPipelines.name, read, isThere: isFilled });
    return pipeline?.name ?? null;
  }

  private async originInRun(
    claim: OriginClaim,
    { runId, path }: { readonly runId: string; readonly path: string },
  ): Promise<ModelOrigin> {
    if (claim.loggedModelId !== null) throw mustIdentify(claim.source, 'model_id');
    if (claim.runId !== runId) throw mustIdentify(claim.source, 'run_id');
    const run = await this.run(claim.tenant, runId);
    const files = await this.filesOfRun(claim.tenant, runId, path);
    if (files.length > 0) return { ...inRun(claim, run), files };
    // Since MLflow 3 a run's model is a logged model of that name, and the run itself has no such files.
    const [logged] = await this.database.query<{ loggedModelId: string }[]>(LOGGED_MODEL_BY_NAME, [
      claim.tenant,
      runId,
      path,
    ]);
    return logged ? this.originOfLoggedModel(claim, logged.loggedModelId) : { ...inRun(claim, run), files };
  }

  private async originOfLoggedModel(claim: OriginClaim, loggedModelId: string): Promise<ModelOrigin> {
    if (claim.loggedModelId !== null && claim.loggedModelId !== loggedModelId) {
      throw mustIdentify(claim.source, 'model_id');
    }
    const logged = await this.loggedModel(claim.tenant, loggedModelId);
    if (claim.runId !== null && logged.sourceRunId !== null && claim.runId !== logged.sourceRunId) {
      throw mustIdentify(claim.source, 'run_id');
    }
    if (claim.runId !== null && logged.sourceRunId === null) await this.run(claim.tenant, claim.runId);
    return {
      ...{ source: claim.source, artifactLocation: logged.artifactLocation, loggedModelId },
      ...{ runId: claim.runId ?? logged.sourceRunId, experimentId: logged.experimentId },
      manifestSha256: logged.manifestSha256,
      files: await this.filesOfManifest(claim.tenant, loggedModelId, logged.manifestSha256),
    };
  }

  private async originAmongArtifacts(claim: OriginClaim, uri: string): Promise<ModelOrigin> {
    if (claim.loggedModelId !== null) {
      const origin = await this.originOfLoggedModel(claim, claim.loggedModelId);
      const inside = within(uri, origin.artifactLocation);
      if (inside === undefined) throw mustIdentify(claim.source, 'model_id');
      const files = await this.files(claim.tenant, loggedModelFiles(claim.loggedModelId), inside);
      return { ...origin, artifactLocation: uri, files };
    }
    if (claim.runId === null) throw mustIdentify(claim.source, 'run_id');
    const run = await this.run(claim.tenant, claim.runId);
    const inside = within(uri, run.artifactUri);
    if (inside === undefined) throw mustIdentify(claim.source, 'run_id');
    const files = await this.filesOfRun(claim.tenant, run.runId, inside);
    return { ...inRun(claim, run), files };
  }

  private async originElsewhere(claim: OriginClaim): Promise<ModelOrigin> {
    const run = claim.runId === null ? null : await this.run(claim.tenant, claim.runId);
    if (claim.loggedModelId !== null) await this.loggedModel(claim.tenant, claim.loggedModelId);
    return {
      ...{ source: claim.source, artifactLocation: claim.source, runId: claim.runId },
      ...{ experimentId: run?.experimentId ?? null, loggedModelId: claim.loggedModelId },
      ...{ manifestSha256: null, files: [] },
    };
  }

  private async run(tenant: string, runId: string): Promise<Run> {
    const read = () => this.database.query<Run[]>(RUN, [tenant, runId]);
    const [run] = await this.arrivals.until({ from: sourceRuns.name, read, isThere: isFilled });
    if (run === undefined) throw notFound(`Run with id=${runId} not found`);
    return run;
  }

  private async loggedModel(tenant: string, loggedModelId: string): Promise<LoggedModel> {
    const read = () => this.database.query<LoggedModel[]>(LOGGED_MODEL, [tenant, loggedModelId]);
    const isThere = ([row]: readonly LoggedModel[]) => row !== undefined && row.status !== 'pending';
    const [logged] = await this.arrivals.until({ from: sourceLoggedModels.name, read, isThere });
    if (logged === undefined || logged.status === 'deleted') {
      throw notFound(`Logged model with ID '${loggedModelId}' not found`);
    }
    if (logged.status === 'ready') return logged;
    const state = logged.status === 'failed' ? 'could not be uploaded whole' : 'is still being uploaded';
    throw new CommandRefused({
      kind: 'invalid',
      code: 'LOGGED_MODEL_NOT_READY',
      message: `Logged model ${loggedModelId} ${state}: finalize it as LOGGED_MODEL_READY, then register it`,
    });
  }

  /** The files of a whole logged model: exactly those that its digest covers, which may arrive a moment after it. */
  private async filesOfManifest(tenant: string, loggedModelId: string, sha256: string | null): Promise<ModelFile[]> {
    const read = () => this.files(tenant, loggedModelFiles(loggedModelId), '');
    const isThere = (found: readonly ModelFile[]) => manifestSha256(found) === sha256;
    const files = await this.arrivals.until({ from: sourceFiles.name, read, isThere });
    if (manifestSha256(files) === sha256) return files;
    throw ApiError.unavailable(
      `The files of logged model ${loggedModelId} are not all known here yet: try again shortly`,
    );
  }

  /** A client registers as soon as it has uploaded, and the last of its files may arrive after the first. */
  private filesOfRun(tenant: string, runId: string, folder: string): Promise<ModelFile[]> {
    return this.arrivals.settled({ from: sourceFiles.name, read: () => this.files(tenant, runFiles(runId), folder) });
  }

  /** Files below a folder, with paths relative to it. */
  private async files(tenant: string, owner: string, folder: string): Promise<ModelFile[]> {
    const rows = await this.database.query<ModelFile[]>(FILES, [tenant, owner, folder]);
    const prefix = folder === '' ? 0 : folder.length + 1;
    return rows.map((row) => ({ ...row, path: row.path.slice(prefix) }));
  }
}

interface SourceMetric {
  readonly metric: string;
  readonly value: number;
  readonly runId: string;
  readonly step: number;
  readonly timestampMs: number;
  readonly eventId: string;
}

/** As LoggedModelReady defines it: over path, digest and size of each file, ordered by path as UTF-16 units. */
function manifestSha256(files: readonly ModelFile[]): string {
  const manifest = files
    .map(({ path, sha256, sizeBytes }) => ({ path, sha256, sizeBytes }))
    .sort((one, other) => (one.path < other.path ? -1 : 1));
  return createHash('sha256').update(canonicalJson(manifest)).digest('hex');
}

const isFilled = (rows: readonly unknown[]): boolean => rows.length > 0;

function inRun(claim: OriginClaim, run: Run): Omit<ModelOrigin, 'files'> {
  return {
    ...{ source: claim.source, artifactLocation: claim.source, runId: run.runId, experimentId: run.experimentId },
    ...{ loggedModelId: null, manifestSha256: null },
  };
}

/** The path of a URI below a root, '' for the root itself, undefined for anywhere else. */
function within(uri: string, root: string): string | undefined {
  const base = root.replace(/\/+$/, '');
  if (uri === base) return '';
  return uri.startsWith(`${base}/`) ? uri.slice(base.length + 1) : undefined;
}

function finiteOrText(value: number): MetricObservation['value'] {
  return Number.isFinite(value) ? value : (String(value) as 'NaN' | 'Infinity' | '-Infinity');
}

function mustIdentify(source: string, parameter: 'run_id' | 'model_id'): CommandRefused {
  const hint = `The ${parameter} request parameter must identify the resource that contains the source.`;
  return new CommandRefused(invalid(source, hint).refusal);
}

function notFound(message: string): CommandRefused {
  return new CommandRefused({ kind: 'not-found', code: 'SOURCE_NOT_FOUND', message });
}
