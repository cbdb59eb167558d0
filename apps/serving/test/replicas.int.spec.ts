import type { RunningService } from '@mledger/service-kit';
import { eventually } from '@mledger/service-kit/testing';
import { followPublished } from './sealed-predictions';
import { MATRIX, ServingWorld } from './serving-world';

let world: ServingWorld;
let replicas: RunningService[];
beforeAll(async () => {
  world = await ServingWorld.start();
  replicas = [world.kit.service, await world.startReplica()];
});
afterAll(() => world?.stop());

const answerOf = async (replica: RunningService, name: string) =>
  replica.app.inject({
    method: 'POST',
    url: `/v2/models/${name}/infer`,
    headers: { host: 'localhost' },
    payload: { inputs: [MATRIX] },
  });

const versionsOf = (name: string) =>
  Promise.all(replicas.map(async (replica) => (await answerOf(replica, name)).json().model_version as string));

describe('two replicas', () => {
  it('both deploy whom an alias moves to, once between them, and both answer', async () => {
    const first = await world.registry.createVersion('delay', 1, 'double.onnx');
    const second = await world.registry.createVersion('delay', 2, 'triple.onnx');
    await world.follow('delay', 'models:/delay@champion');
    await eventually(async () => expect((await answerOf(replicas[1]!, 'delay')).statusCode).toBe(503));
    await world.registry.moveAlias(first);
    await eventually(async () => expect(await versionsOf('delay')).toEqual(['1', '1']));
    await world.registry.moveAlias({ ...second, fromVersion: 1 });
    await eventually(async () => expect(await versionsOf('delay')).toEqual(['2', '2']));
    const deployed = await world.kit.service.log.store.readLog({
      afterSeq: 0,
      limit: 100,
      types: ['RevisionDeployed'],
    });
    expect(deployed.map(({ data }) => data)).toMatchObject([{ revision: 1 }, { revision: 2 }]);
  });

  it('each record and seal what either answers, exactly once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => answerOf(replicas[index % 2]!, 'delay')),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => 200));
    const ids = answers.map(({ headers }) => String(headers['x-request-id'])).sort();
    await eventually(async () => {
      const sealed = (await world.sealedPredictions()).map(({ requestId }) => requestId);
      expect(sealed.filter((requestId) => ids.includes(requestId)).sort()).toEqual(ids);
    }, 40_000);
    const published = await followPublished(await world.openBus());
    await eventually(() => {
      const found = published.map(({ requestId }) => requestId).filter((requestId) => ids.includes(requestId));
      expect(found.sort()).toEqual(ids);
    });
  });

  it('forget an endpoint together', async () => {
    expect((await world.call('DELETE', 'delay')).status).toBe(204);
    await eventually(async () => expect((await answerOf(replicas[1]!, 'delay')).statusCode).toBe(404));
  });
});
