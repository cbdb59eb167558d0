import { experimentsService } from '../src/experiments.definition';
import { startApi, type TestApi } from './mlflow-api';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

/** A little of everything that an event can say. */
async function useAll(): Promise<void> {
  const experiment_id = await api.newExperiment('rebuilt');
  await api.post('experiments/set-experiment-tag', { experiment_id, key: 'a', value: '1' });
  await api.post('experiments/set-experiment-tag', { experiment_id, key: 'b', value: '2' });
  await api.post('experiments/delete-experiment-tag', { experiment_id, key: 'a' });
  await api.post('experiments/update', { experiment_id, new_name: 'renamed' });
  const runs = await Promise.all(Array.from({ length: 5 }, () => api.newRun(experiment_id)));
  await Promise.all(runs.map((run_id, index) => useRun(run_id, index)));
  const [run_id = ''] = runs;
  const { model_id } = (
    await api.post('logged-models', { experiment_id, source_run_id: run_id, params: [{ key: 'a', value: '1' }] })
  ).body.model.info;
  await api.post(`logged-models/${model_id}/params`, { params: [{ key: 'b', value: '2' }] });
  await api.patch(`logged-models/${model_id}/tags`, { tags: [{ key: 't', value: '1' }] });
  await api.post('runs/outputs', { run_id, models: [{ model_id, step: 1 }] });
  const metrics = [{ key: 'auc', value: 'NaN', timestamp: 1, model_id, dataset_name: 'd', dataset_digest: 'e' }];
  await api.post('runs/log-batch', { run_id, metrics });
  for (const path of [
    `${experiment_id}/${run_id}/artifacts/a/b`,
    `${experiment_id}/${run_id}/artifacts/c`,
    `${experiment_id}/models/${model_id}/artifacts/MLmodel`,
  ]) {
    await api.inject({ method: 'PUT', url: `/api/2.0/mlflow-artifacts/artifacts/${path}`, payload: 'x' });
  }
  await api.delete(`/api/2.0/mlflow-artifacts/artifacts/${experiment_id}/${run_id}/artifacts/a`);
  await api.patch(`logged-models/${model_id}`, { status: 'LOGGED_MODEL_READY' });
  await api.post('experiments/delete', { experiment_id });
}

async function useRun(run_id: string, index: number): Promise<void> {
  const metrics = Array.from({ length: 20 }, (_, step) => ({
    key: `m${step % 3}`,
    value: step * index,
    timestamp: step,
    step: step % 5,
  }));
  await api.post('runs/log-batch', {
    run_id,
    metrics,
    params: [{ key: 'p', value: `${index}` }],
    tags: [{ key: 't', value: 'x' }],
  });
  await api.post('runs/log-metric', { run_id, key: 'odd', value: index % 2 ? -0 : 'Infinity', timestamp: 1 });
  await api.post('runs/delete-tag', { run_id, key: 't' });
  const dataset = { name: 'd', digest: `${index}`, source_type: 's3', source: '{}' };
  await api.post('runs/log-inputs', {
    run_id,
    datasets: [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'training' }] }],
  });
  await api.post('runs/update', { run_id, status: 'FINISHED', end_time: 9, run_name: `run ${index}` });
  if (index === 4) await api.post('runs/delete', { run_id });
}

describe('every projection', () => {
  it('rebuilt from the log is what it was, to the byte', async () => {
    await useAll();
    for (const { name } of experimentsService.projections) {
      const rows = async () => {
        const { rows: all } = await api.service.log.pool.query(
          `select t::text from ${name} t order by t::text collate "C"`,
        );
        return all as unknown[];
      };
      const live = await rows();
      expect([name, live.length > 0]).toEqual([name, true]);
      await api.service.log.rebuild(name);
      expect(await rows()).toEqual(live);
    }
  });
});
