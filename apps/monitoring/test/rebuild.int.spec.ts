import { MonitoringWorld, normal } from './monitoring-world';

let world: MonitoringWorld;
beforeAll(async () => {
  world = await MonitoringWorld.start();
});
afterAll(() => world?.stop());

const PROJECTIONS = ['monitors', 'windows', 'alerts'];

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
  const body = {
    endpoint: 'delay',
    windowRows: 100,
    reference: { repository: 'r', commit: 'c', paths: ['p'], columns: { temp: normal(500) } },
    features: [{ feature: 'temp', kind: 'numeric' }],
    performance: { metric: 'auc', atLeast: 0.9 },
  };
  await world.call('PUT', 'monitors/delay', body);
  await world.call('PUT', 'monitors/served', { ...body, reference: { payloads: { rows: 50 } } });
  await world.call('PUT', 'monitors/gone', { ...body, endpoint: 'another' });
  const scores = normal(100, { seed: 9 });
  for (const mean of [0, 5, 5, 0]) {
    const requests = await world.serve('delay', { temp: normal(100, { mean, seed: mean + 2 }) }, 50, {}, scores);
    await world.gathered('delay', 0);
    const labels = scores.map((_, row) => ({
      requestId: requests[Math.floor(row / 50)],
      row: row % 50,
      label: row % 2,
    }));
    await world.call('POST', 'endpoints/delay/labels', labels);
  }
  await world.windowsOnce('delay', 4);
  await world.windowsOnce('served', 3);
  await world.call('PUT', 'monitors/delay', { ...body, windowRows: 200 });
  await world.call('DELETE', 'monitors/gone');
}

function rows(name: string): Promise<object[]> {
  return world.kit.service.log.dataSource.query(`select ${name}::text as row from ${name} order by 1`);
}
