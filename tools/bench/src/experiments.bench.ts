import { join } from 'node:path';
import { startPostgres } from '@mledger/infra';
import { closedLoop, type LoadResult } from './closed-loop';
import { JsonClient } from './json-client';
import { besides, cores, type Suite } from './measurement';
import { pythonForPeer, startMlflow, startStandalone, type Server } from './server';
import { inTempFolder } from './temp-folder';

const PEER = 'mlflow server';
const WARM_UP_SECONDS = 1;
const MEASURED_SECONDS = 6;
const METRICS_A_BATCH = 10;
const PARAMS_A_RUN = 10;
/** Runs that are searched: so many that a table is worth its indexes, so few that the peer makes them in a minute. */
const RUNS = 500;
const FILTER = "metrics.metric_1 > 0.5 and params.param_1 != 'x'";

interface Figure {
  readonly name: string;
  readonly callers: number;
  work(client: Tracking, caller: number, count: number): Promise<unknown>;
}

const FIGURES: readonly Figure[] = [
  { name: 'batches of 10 metrics, 1 caller', callers: 1, work: logBatch },
  { name: 'batches of 10 metrics, 16 callers', callers: 16, work: logBatch },
  { name: 'whole runs (create, log, end), 16 callers', callers: 16, work: (client) => client.wholeRun() },
  { name: `searches of ${RUNS} runs for 100, 1 caller`, callers: 1, work: (client) => client.search() },
];

export const experimentsSuite: Suite = {
  name: 'experiments',
  summary:
    'runs logged and searched by the MLflow REST API of a standalone, beside MLflow’s own server on the same Postgres',
  run: (report) =>
    inTempFolder(async (folder) => {
      const peer = await startPeer(folder);
      const theirs = peer && (await measured(peer));
      const ours = await measured(await startStandalone(join(folder, 'home')));
      const conditions = `${cores()} shared by server, Postgres 18 and callers; four processes of the peer, as it starts by itself`;
      for (const [index, { name }] of FIGURES.entries()) {
        const { perSecond: value } = ours[index]!;
        report({ name, value, unit: 'per s', conditions, ...besides(PEER, value, theirs?.[index]?.perSecond) });
      }
    }),
};

async function measured(server: Server): Promise<LoadResult[]> {
  const results: LoadResult[] = [];
  try {
    const client = await Tracking.begin(server.url);
    for (const { callers, work } of FIGURES) {
      const load = { callers, warmUpSeconds: WARM_UP_SECONDS, seconds: MEASURED_SECONDS };
      results.push(await closedLoop({ ...load, work: (caller, count) => work(client, caller, count) }));
    }
  } finally {
    await server.stop();
  }
  return results;
}

/** Each caller has a run of its own. */
function logBatch(client: Tracking, caller: number, count: number): Promise<unknown> {
  return client.logMetrics(client.runIds[caller]!, count);
}

/** What MLflow's client sends. */
class Tracking {
  private constructor(
    private readonly client: JsonClient,
    /** The experiment that is logged to and the one that is searched, which stays as it is. */
    private readonly experimentIds: { readonly logged: string; readonly searched: string },
    readonly runIds: readonly string[],
  ) {}

  static async begin(url: string): Promise<Tracking> {
    const client = new JsonClient(url);
    const create = async (name: string) =>
      (await client.post<{ experiment_id: string }>(`${API}/experiments/create`, { name })).experiment_id;
    const experimentIds = { logged: await create('logged'), searched: await create('searched') };
    const tracking = new Tracking(client, experimentIds, []);
    const runIds = await Promise.all(Array.from({ length: 16 }, () => tracking.createRun(experimentIds.logged)));
    for (let made = 0; made < RUNS; made += 10)
      await Promise.all(Array.from({ length: 10 }, () => tracking.wholeRun(experimentIds.searched)));
    return new Tracking(client, experimentIds, runIds);
  }

  async wholeRun(experimentId = this.experimentIds.logged): Promise<void> {
    const run_id = await this.createRun(experimentId);
    const params = Array.from({ length: PARAMS_A_RUN }, (_, index) => ({ key: `param_${index}`, value: run_id }));
    await this.client.post(`${API}/runs/log-batch`, { run_id, params, metrics: metricsOf(0) });
    await this.client.post(`${API}/runs/update`, { run_id, status: 'FINISHED', end_time: Date.now() });
  }

  logMetrics(run_id: string, step: number): Promise<unknown> {
    return this.client.post(`${API}/runs/log-batch`, { run_id, metrics: metricsOf(step) });
  }

  search(): Promise<unknown> {
    return this.client.post(`${API}/runs/search`, {
      experiment_ids: [this.experimentIds.searched],
      filter: FILTER,
      order_by: ['metrics.metric_2 DESC'],
      max_results: 100,
    });
  }

  private async createRun(experiment_id: string): Promise<string> {
    const asked = { experiment_id, start_time: Date.now(), tags: [{ key: 'mlflow.user', value: 'bench' }] };
    const { run } = await this.client.post<{ run: { info: { run_id: string } } }>(`${API}/runs/create`, asked);
    return run.info.run_id;
  }
}

const API = '/api/2.0/mlflow';

function metricsOf(step: number): object[] {
  const timestamp = Date.now();
  return Array.from({ length: METRICS_A_BATCH }, (_, index) => ({
    key: `metric_${index}`,
    value: Math.random(),
    timestamp,
    step,
  }));
}

/** On the Postgres that MLedger has, set up alike: on SQLite it refuses writers that come together. */
async function startPeer(folder: string): Promise<Server | undefined> {
  const environment = await pythonForPeer();
  if (!environment) return undefined;
  const postgres = await startPostgres({ dataFolder: join(folder, 'postgres'), persistent: false });
  const store = postgres.url.replace(/^postgres:/, 'postgresql+psycopg2:');
  const server = await startMlflow(environment, ['server', '--backend-store-uri', store], '/health');
  return {
    url: server.url,
    stop: async () => {
      await server.stop();
      await postgres.stop();
    },
  };
}
