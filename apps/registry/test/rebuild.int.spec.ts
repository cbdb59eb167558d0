import { RegistryWorld } from './registry-world';

let world: RegistryWorld;
beforeAll(async () => {
  world = await RegistryWorld.start();
});
afterAll(() => world?.stop());

const PROJECTIONS = ['models', 'model_versions', 'alias_history', 'promotions'];

describe('every projection', () => {
  it('rebuilt from the log is what it was, to the byte', async () => {
    await liveThroughEverything();
    for (const name of PROJECTIONS) {
      const before = await rows(name);
      expect(before.length).toBeGreaterThan(1);
      await world.kit.service.log.rebuild(name);
      expect(await rows(name)).toEqual(before);
    }
  });
});

/** Events of each type that a projection looks at. */
async function liveThroughEverything(): Promise<void> {
  for (const auc of [0.7, 0.8, 0.5]) await world.logVersion('delay', { auc });
  await world.logVersion('gone');
  await world.logVersion('other');
  const input = { name: 'delay', version: '3' };
  await world.mlflow('PATCH', 'registered-models/update', { name: 'delay', description: 'late?' });
  for (const key of ['__proto__', 'b', 'a'])
    await world.mlflow('POST', 'registered-models/set-tag', { name: 'delay', key, value: key });
  await world.mlflow('DELETE', 'registered-models/delete-tag', { name: 'delay', key: 'a' });
  await world.mlflow('PATCH', 'model-versions/update', { ...input, description: 'third' });
  for (const key of ['k', 'l']) await world.mlflow('POST', 'model-versions/set-tag', { ...input, key, value: 'v' });
  await world.mlflow('DELETE', 'model-versions/delete-tag', { ...input, key: 'l' });
  for (const version of ['1', '2']) {
    const stage = { name: 'delay', version, stage: 'Staging', archive_existing_versions: true };
    await world.mlflow('POST', 'model-versions/transition-stage', stage);
    await world.mlflow('POST', 'registered-models/alias', { name: 'delay', alias: 'blue', version });
  }
  await world.mlflow('DELETE', 'registered-models/alias', { name: 'delay', alias: 'blue' });
  await world.own('PUT', 'models/delay/policy', { gates: [{ metric: 'auc', notWorseThanChampion: true }] });
  for (const version of [1, 2, 3]) await world.own('POST', 'models/delay/promotions', { version, reason: 'better' });
  await world.own('POST', 'models/delay/rollback', { reason: 'errors' });
  await world.own('PUT', 'models/delay/policy', { approvals: 1 });
  for (const how of ['reject', 'withdraw']) {
    const { body } = await world.own('POST', 'models/delay/promotions', { version: 3, reason: 'again' });
    await world.own('POST', `promotions/${body.promotionId}/${how}`, { reason: 'no' });
  }
  await world.mlflow('DELETE', 'model-versions/delete', { name: 'delay', version: '3' });
  await world.mlflow('POST', 'registered-models/rename', { name: 'delay', new_name: 'late' });
  await world.mlflow('DELETE', 'registered-models/delete', { name: 'gone' });
}

function rows(name: string): Promise<object[]> {
  return world.kit.service.log.dataSource.query(`select ${name}::text as row from ${name} order by 1`);
}
