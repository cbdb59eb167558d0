import { servingEvents } from '@mledger/contracts';
import { eventually } from '@mledger/service-kit/testing';
import { servingService } from '../src/serving.definition';
import { ServingWorld } from './serving-world';

let world: ServingWorld;
beforeAll(async () => {
  world = await ServingWorld.start();
});
afterAll(() => world?.stop());

/** Something of every event of an endpoint. */
async function live(): Promise<void> {
  const { registry } = world;
  const first = await registry.createVersion('delay', 1, 'double.onnx');
  const second = await registry.createVersion('delay', 2, 'triple.onnx');
  const broken = await registry.createVersion('delay', 3, Buffer.from('not an ONNX graph'));
  await registry.createVersion('gone', 1, 'double.onnx');
  await world.follow('pinned', 'models:/delay/1');
  await world.follow('pinned', 'models:/delay/2');
  await world.follow('deleted', 'models:/gone/1');
  expect((await world.call('DELETE', 'deleted')).status).toBe(204);
  await world.follow('deleted', 'models:/delay@champion');
  const revisions = (count: number) =>
    eventually(async () => expect((await world.call('GET', 'deleted')).body.revisions).toHaveLength(count));
  await registry.moveAlias(first);
  await revisions(1);
  await registry.moveAlias({ ...second, fromVersion: 1 });
  await revisions(2);
  await registry.moveAlias({ ...broken, fromVersion: 2 });
  const reason = 'a test';
  const shares = [1, 2].map((revision) => ({ revision, percent: 50 }));
  for (const [path, payload] of [
    ['traffic', { shares, reason }],
    ['shadows', { revision: 1 }],
    ['shadows', { revision: 1, attached: false }],
    ['rollback', { toRevision: 1, reason }],
  ] as const) {
    expect((await world.call('POST', `deleted/${path}`, payload)).status).toBe(200);
  }
  await registry.deleteVersion('gone', 1);
  await registry.renameModel('gone', 'renamed');
  await registry.createVersion('dropped', 1, 'double.onnx');
  await world.follow('dropped', 'models:/dropped/1');
  await registry.deleteModel('dropped', [1]);
}

const { projections, readModels = [] } = servingService;
const rowsOf = async (table: string): Promise<unknown[]> =>
  world.kit.service.log.dataSource.query(`select t::text as row from ${table} t order by 1`);

it('every table, built again from the log, is the same to the byte', async () => {
  await live();
  const { log } = world.kit.service;
  // The log shows what is numbered, which what was appended a moment ago need not be.
  await eventually(async () => {
    const seen = new Set((await log.store.readLog({ afterSeq: 0, limit: 1000 })).map(({ type }) => type));
    const missing = servingEvents.map(({ type }) => type).filter((type) => !seen.has(type));
    expect(missing).toEqual(['PredictionsSealed']);
  });
  await eventually(async () => {
    expect(await rowsOf('registry_versions')).toHaveLength(3);
    expect(JSON.stringify(await rowsOf('registry_models'))).toContain('renamed');
    expect(await rowsOf('registry_models')).toHaveLength(2);
  });
  for (const { name } of [...projections, ...readModels]) {
    const before = await rowsOf(name);
    expect([name, before.length > 0]).toEqual([name, true]);
    const rebuild = `/api/mledger/v1/services/serving/projections/${name}/rebuild`;
    expect((await world.kit.inject({ method: 'POST', url: rebuild })).statusCode).toBe(200);
    expect(await rowsOf(name)).toEqual(before);
  }
});

it('the log holds, and says so', async () => {
  expect(await world.kit.service.log.verify()).toMatchObject({ ok: true });
});

it('a replica that comes later knows the same endpoints from the log alone', async () => {
  const names = ['pinned', 'deleted'];
  const before = await Promise.all(names.map((name) => world.call('GET', name)));
  const replica = await world.startReplica();
  const answers = await Promise.all(
    names.map((name) =>
      replica.app.inject({ method: 'GET', url: `/api/mledger/v1/endpoints/${name}`, headers: { host: 'localhost' } }),
    ),
  );
  expect(answers.map((answer) => answer.json())).toEqual(before.map(({ body }) => body));
});
