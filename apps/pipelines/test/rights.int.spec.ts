import { freePort } from '@mledger/infra';
import { eventually, type TestKey } from '@mledger/service-kit/testing';
import { node, PipelinesWorld } from './pipelines-world';

let world: PipelinesWorld;
let admin: TestKey;
let contributor: TestKey;
beforeAll(async () => {
  const port = await freePort();
  world = await PipelinesWorld.start({ MLEDGER_AUTH: 'keys', MLEDGER_PORT: String(port) });
  // A step reaches the platform at the configured address.
  await world.kit.service.listen('127.0.0.1', port);
  admin = await world.kit.access!.issueKey({ roles: ['admin'] });
  contributor = await world.kit.access!.issueKey({ roles: ['contributor'] });
  await hold(admin, contributor);
});
afterAll(() => world?.stop());

const as = (key: TestKey) => ({ authorization: key.authorization });
/** Until the service has heard of the keys. */
async function hold(...keys: TestKey[]): Promise<void> {
  for (const key of keys) {
    await eventually(async () => expect((await world.call('GET', 'pipelines', undefined, as(key))).status).toBe(200));
  }
}
const define = (name: string, definition: object, key = admin) =>
  world.call('PUT', `pipelines/${name}`, definition, as(key));
const trigger = (name: string) => world.call('POST', `pipelines/${name}/runs`, undefined, as(contributor));

/** Asks the platform with the step's own token and prints the statuses. */
const ask = (...requests: [method: string, path: string, body?: object][]) =>
  node(`(async () => {
    const statuses = [];
    for (const [method, path, body] of ${JSON.stringify(requests)}) {
      const headers = { authorization: 'Bearer ' + process.env.MLFLOW_TRACKING_TOKEN, 'content-type': 'application/json' };
      const url = process.env.MLFLOW_TRACKING_URI + '/api/mledger/v1/' + path;
      statuses.push((await fetch(url, { method, headers, body: body && JSON.stringify(body) })).status);
    }
    console.log(JSON.stringify({ statuses }));
  })()`);

describe('who may do what', () => {
  it('only an admin says what commands run', async () => {
    const definition = { steps: [{ name: 'a', command: ['true'] }] };
    expect((await define('mine', definition, contributor)).status).toBe(403);
    expect((await define('mine', definition)).status).toBe(200);
    expect((await world.call('DELETE', 'pipelines/mine', undefined, as(contributor))).status).toBe(403);
    expect((await trigger('mine')).status).toBe(201);
  });

  it('a step acts as its pipeline, with the role it was given, under the correlation of its run', async () => {
    await define('inner', { steps: [{ name: 'a', command: ['true'] }] });
    const command = ask(
      ['GET', 'pipelines'],
      ['POST', 'pipelines/inner/runs'],
      ['PUT', 'pipelines/evil', { steps: [{ name: 'a', command: ['true'] }] }],
    );
    await define('outer', { steps: [{ name: 'call', command }] });
    const { body } = await trigger('outer');
    const run = await world.ended(body.pipelineRunId, as(contributor));
    expect(run.steps[0].outputs).toEqual({ statuses: [200, 201, 403] });
    const [inner] = (await world.call('GET', 'pipelines/inner/runs', undefined, as(contributor))).body.runs;
    expect(inner).toMatchObject({ correlation: run.correlation, triggeredBy: `pipeline:${run.pipelineId}` });
    const started = (await world.eventsOf(run.pipelineRunId)).find(({ type }) => type === 'StepStarted');
    const [triggered] = await world.eventsOf(inner.pipelineRunId);
    expect(triggered?.cause).toBe(started?.id);
    await world.ended(inner.pipelineRunId, as(contributor));
  });

  it('a tenant sees and starts its own pipelines alone', async () => {
    await world.kit.access!.createTenant('other');
    const stranger = await world.kit.access!.issueKey({ tenant: 'other', roles: ['admin'] });
    await hold(stranger);
    await define('private', { steps: [{ name: 'a', command: ['true'] }] });
    const { pipelineRunId } = (await trigger('private')).body;
    for (const path of [
      'pipelines/private',
      `pipeline-runs/${pipelineRunId}`,
      `pipeline-runs/${pipelineRunId}/logs?step=a`,
    ]) {
      expect((await world.call('GET', path, undefined, as(stranger))).status).toBe(404);
    }
    expect((await world.call('POST', 'pipelines/private/runs', undefined, as(stranger))).status).toBe(404);
    expect((await world.call('POST', `pipeline-runs/${pipelineRunId}/cancel`, {}, as(stranger))).status).toBe(404);
    await world.ended(pipelineRunId, as(contributor));
  });
});
