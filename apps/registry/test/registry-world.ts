import { createHash, randomUUID } from 'node:crypto';
import { canonicalJson } from '@mledger/event-log';
import { type AnyJson, startTestService, type TestService } from '@mledger/service-kit/testing';
import { registryService } from '../src/registry.definition';
import { experimentsLog, pipelinesLog, type OtherServiceLog } from './other-service-log';
import type { ExperimentsEvent, PipelinesEvent } from '@mledger/contracts';

export interface Answer {
  readonly status: number;
  readonly body: AnyJson;
}

export interface LoggedRun {
  readonly runId: string;
  readonly loggedModelId: string;
}

const EXPERIMENT = '7';

/** The registry on a real database and bus, and beside it what experiments and pipelines would tell it. */
export class RegistryWorld {
  private constructor(
    readonly kit: TestService,
    readonly experiments: OtherServiceLog<ExperimentsEvent>,
    readonly pipelines: OtherServiceLog<PipelinesEvent>,
  ) {}

  static async start(env: Record<string, string> = {}, options: { listen?: boolean } = {}): Promise<RegistryWorld> {
    const kit = await startTestService(registryService, { env, ...options });
    return new RegistryWorld(kit, await experimentsLog(kit.runtime), await pipelinesLog(kit.runtime));
  }

  async stop(): Promise<void> {
    await this.experiments.stop();
    await this.pipelines.stop();
    await this.kit.stop();
  }

  async call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    body?: object,
    headers = {},
  ): Promise<Answer> {
    const response = await this.kit.inject({ method, url, headers, ...(body && { payload: body }) });
    return { status: response.statusCode, body: response.body === '' ? undefined : response.json() };
  }

  mlflow(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, input: Record<string, unknown> = {}, headers = {}) {
    const base = `/api/2.0/mlflow/${path}`;
    if (method !== 'GET') return this.call(method, base, input, headers);
    const query = new URLSearchParams(
      Object.entries(input).flatMap(([key, value]) =>
        [value].flat().map((one): [string, string] => [key, String(one)]),
      ),
    );
    return this.call(method, `${base}?${query.toString()}`, undefined, headers);
  }

  own(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, headers = {}) {
    return this.call(method, `/api/mledger/v1/${path}`, body, headers);
  }

  /** Tells of a run with its metrics, and of a whole logged model with two files. */
  async logRun(metrics: Record<string, number> = {}, tenant?: string): Promise<LoggedRun> {
    const runId = randomUUID().replaceAll('-', '');
    const loggedModelId = `m-${randomUUID().replaceAll('-', '')}`;
    await this.experiments.tell(['run', runId], [runStarted(runId), ...metricsLogged(runId, metrics)], tenant);
    const files = ['MLmodel', 'model.onnx'].map((path) => storedFile({ modelId: loggedModelId }, path));
    const manifest = files.map(({ data: { path, sha256, sizeBytes } }) => ({ path, sha256, sizeBytes }));
    const manifestSha256 = createHash('sha256').update(canonicalJson(manifest)).digest('hex');
    const created = loggedModelCreated(loggedModelId, runId);
    const ready = { type: 'LoggedModelReady', data: { modelId: loggedModelId, manifestSha256 } } as const;
    await this.experiments.tell(['logged-model', loggedModelId], [created, ...files, ready], tenant);
    return { runId, loggedModelId };
  }

  /** Registers the model unless it is there, and a version from a fresh run. @returns the version's number */
  async logVersion(name: string, metrics: Record<string, number> = {}, headers = {}): Promise<number> {
    await this.mlflow('POST', 'registered-models/create', { name }, headers);
    const { loggedModelId: model_id } = await this.logRun(metrics);
    const version = { name, source: `models:/${model_id}`, model_id };
    const { status, body } = await this.mlflow('POST', 'model-versions/create', version, headers);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return Number(body.model_version.version);
  }
}

export function runStarted(runId: string): ExperimentsEvent {
  const artifactUri = `mlflow-artifacts:/${EXPERIMENT}/${runId}/artifacts`;
  const data = { runId, experimentId: EXPERIMENT, name: 'run', userId: 'ana', startTime: 1, artifactUri, tags: [] };
  return { type: 'RunStarted', data };
}

export function metricsLogged(runId: string, metrics: Record<string, number>, modelId?: string): ExperimentsEvent[] {
  const points = Object.entries(metrics).map(([key, value]) => ({
    key,
    value,
    timestamp: 1_700_000_000_000,
    step: 0,
    modelId,
  }));
  return points.length === 0 ? [] : [{ type: 'MetricsLogged', data: { runId, metrics: points } }];
}

export function storedFile(owner: { runId: string } | { modelId: string }, path: string) {
  const sha256 = createHash('sha256').update(path).digest('hex');
  const objectKey = `default/experiments/${EXPERIMENT}/aa/${randomUUID()}`;
  return {
    type: 'ArtifactStored',
    data: { ...owner, experimentId: EXPERIMENT, path, sizeBytes: 7, sha256, objectKey },
  } as const;
}

export function loggedModelCreated(modelId: string, sourceRunId: string): ExperimentsEvent {
  const artifactLocation = `mlflow-artifacts:/${EXPERIMENT}/models/${modelId}/artifacts`;
  const data = { modelId, experimentId: EXPERIMENT, sourceRunId, name: 'model', modelType: '', artifactLocation };
  return { type: 'LoggedModelCreated', data: { ...data, params: [], tags: [] } };
}
