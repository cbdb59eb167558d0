import { startApi, type TestApi } from './mlflow-api';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

describe('experiments', () => {
  it('begin with one named Default, whose id is 0', async () => {
    expect(await api.get('experiments/get', { experiment_id: '0' })).toMatchObject({
      status: 200,
      body: { experiment: { name: 'Default', lifecycle_stage: 'active', artifact_location: 'mlflow-artifacts:/0' } },
    });
  });
});
