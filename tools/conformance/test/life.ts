import type { AnyJson } from '@mledger/service-kit/testing';
import { waitFor } from '@mledger/infra';
import type { Platform } from './platform';

interface Event {
  readonly id: string;
  readonly type: string;
}

/** A life of a model in short, over the protocols that its clients speak; the same calls in every run mode. */
export class Life {
  experimentId = '';
  runId = '';
  commitId = '';
  private readonly name: string;

  constructor(
    private readonly platform: Pick<Platform, 'url' | 'authorization'>,
    suffix: string,
  ) {
    this.name = `life-${suffix}`;
  }

  async beginRun(): Promise<void> {
    this.experimentId = (await this.mlflow('POST', 'experiments/create', { name: this.name })).experiment_id;
    const { run } = await this.mlflow('POST', 'runs/create', { experiment_id: this.experimentId, start_time: 1 });
    this.runId = run.info.run_id;
    await this.mlflow('POST', 'runs/log-parameter', { run_id: this.runId, key: 'depth', value: '6' });
  }

  async endRun(): Promise<void> {
    const metrics = [0.5, 0.7, 0.8].map((value, step) => ({ key: 'auc', value, timestamp: 1_700_000_000_000, step }));
    await this.mlflow('POST', 'runs/log-batch', { run_id: this.runId, metrics });
    await this.mlflow('POST', 'runs/update', { run_id: this.runId, status: 'FINISHED', end_time: 2 });
  }

  async stageObject(): Promise<void> {
    await this.call('POST', '/api/v1/repositories', {
      json: { name: this.name, storage_namespace: `local://${this.name}`, default_branch: 'main' },
    });
    await this.call('POST', `/api/v1/repositories/${this.name}/branches/main/objects?path=raw%2Fa%20b.csv`, {
      body: 'a,b\n1,2\n',
    });
  }

  async commit(): Promise<void> {
    const path = `/api/v1/repositories/${this.name}/branches/main/commits`;
    const commit = (await (await this.call('POST', path, { json: { message: 'first' } })).json()) as { id: string };
    this.commitId = commit.id;
  }

  async registerModel(): Promise<void> {
    await this.mlflow('POST', 'registered-models/create', { name: this.name });
  }

  async createVersion(): Promise<void> {
    const source = `mlflow-artifacts:/${this.experimentId}/${this.runId}/artifacts/model`;
    await this.mlflow('POST', 'model-versions/create', { name: this.name, source, run_id: this.runId });
    await this.mlflow('POST', 'registered-models/alias', { name: this.name, alias: 'candidate', version: '1' });
  }

  /** Everything that was acknowledged, as its services tell it. */
  async told(): Promise<object> {
    const { run } = await this.mlflow('GET', `runs/get?run_id=${this.runId}`);
    const history = await this.mlflow('GET', `metrics/get-history?run_id=${this.runId}&metric_key=auc`);
    const { model_version: version } = await this.mlflow(
      'GET',
      `registered-models/alias?name=${this.name}&alias=candidate`,
    );
    const object = `/api/v1/repositories/${this.name}/refs/${this.commitId}/objects?path=raw%2Fa%20b.csv`;
    return {
      status: run.info.status,
      params: run.data.params,
      auc: history.metrics.map(({ value }: { value: number }) => value),
      candidate: { version: version.version, runId: version.run_id },
      object: await (await this.call('GET', object)).text(),
    };
  }

  /** All events in the ledger, once so many of each of these types are among them. */
  events(wanted: Readonly<Record<string, number>>): Promise<Event[]> {
    return waitFor(
      async () => {
        const events = await this.eventsNow();
        const count = (wantedType: string) => events.filter(({ type }) => type === wantedType).length;
        const missing = Object.entries(wanted).flatMap(([type, times]) => (count(type) < times ? [type] : []));
        if (missing.length > 0) throw new Error(`there are too few ${missing.join(', ')}`);
        return events;
      },
      { what: 'the events to arrive in the ledger', timeoutMs: 45_000 },
    );
  }

  private async eventsNow(): Promise<Event[]> {
    const events: Event[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const after: string = cursor === '' ? '' : `&after=${encodeURIComponent(cursor)}`;
      const answer = await this.call('GET', `/api/mledger/v1/events?limit=100${after}`);
      const page = (await answer.json()) as { events: Event[]; next: string | null };
      events.push(...page.events);
      cursor = page.next;
    }
    return events;
  }

  private async mlflow(method: string, path: string, json?: object): Promise<AnyJson> {
    return (await this.call(method, `/api/2.0/mlflow/${path}`, { json })).json();
  }

  private async call(method: string, path: string, given: { json?: object; body?: string } = {}): Promise<Response> {
    const { url, authorization } = this.platform;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(authorization !== undefined && { authorization }),
        ...(given.json && { 'content-type': 'application/json' }),
        ...(given.body !== undefined && { 'content-type': 'application/octet-stream' }),
      },
      body: given.json ? JSON.stringify(given.json) : given.body,
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response;
  }
}
