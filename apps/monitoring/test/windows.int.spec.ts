import { newObjectKey } from '@mledger/object-store';
import { eventually } from '@mledger/service-kit/testing';
import { createHash, randomUUID } from 'node:crypto';
import { categories, messageOf, MonitoringWorld, normal, payload, tensor } from './monitoring-world';

let world: MonitoringWorld;
beforeAll(async () => {
  world = await MonitoringWorld.start();
});
afterAll(() => world?.stop());

const CARRIERS = { AA: 5, UA: 3, DL: 2 };
const reference = (rows = 2_000) => ({
  repository: 'flights',
  commit: 'c0ffee',
  paths: ['reference.csv'],
  columns: { temp: normal(rows, { mean: 36, deviation: 10, seed: 7 }), carrier: categories(rows, CARRIERS, 8) },
});
const monitor = (endpoint: string, change: object = {}) => ({
  endpoint,
  windowRows: 400,
  reference: reference(),
  features: [
    { feature: 'temp', kind: 'numeric', method: 'wasserstein', threshold: 1 },
    { feature: 'carrier', kind: 'categorical', method: 'js', threshold: 0.1 },
  ],
  driftShare: 0.1,
  ...change,
});
const traffic = (rows: number, { mean = 36, seed = 1 } = {}) => ({
  temp: normal(rows, { mean, deviation: 10, seed }),
  carrier: categories(rows, CARRIERS, seed + 100),
});

describe('a monitor', () => {
  it('is silent on traffic like the reference, finds drift, and is well again', async () => {
    const { status, body } = await world.call('PUT', 'monitors/delay', monitor('delay'));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      name: 'delay',
      revision: 1,
      reference: { from: 'commit', repository: 'flights', commit: 'c0ffee', rows: 2_000 },
      gathering: { for: 'window', rows: 0, of: 400 },
    });

    const first = await world.serve('delay', traffic(400), 100);
    const [quiet] = await world.windowsOnce('delay', 1);
    expect(quiet).toMatchObject({
      drifted: false,
      driftedShare: 0,
      meanPrediction: 0.25,
      window: { number: 1, rows: 400, from: first[0], to: first[3] },
    });
    expect(await world.alerts('delay')).toEqual([]);

    const second = await world.serve('delay', traffic(400, { mean: 60, seed: 2 }), 100);
    const [drifted] = await world.windowsOnce('delay', 2);
    expect(drifted).toMatchObject({ drifted: true, driftedShare: 0.5, window: { number: 2, to: second[3] } });
    const temp = drifted!.features.find(({ feature }) => feature === 'temp')!;
    expect(temp).toMatchObject({
      drifted: true,
      method: 'wasserstein',
      threshold: 1,
      rowsReference: 2_000,
      rowsCurrent: 400,
    });
    expect(temp.statistic).toBeGreaterThan(2);
    const [alert] = await world.alerts('delay');
    expect(alert).toMatchObject({ kind: 'drift', status: 'open', windowNumber: 2 });
    expect(alert!.message).toMatch(/^temp drifted: wasserstein 2\.\d+, threshold 1, mean 3\d\.\d+ → \d+/);

    await world.serve('delay', traffic(400, { mean: 61, seed: 3 }), 100);
    await world.windowsOnce('delay', 3);
    expect(await world.alerts('delay')).toHaveLength(1);

    await world.serve('delay', traffic(400, { seed: 4 }), 100);
    await world.windowsOnce('delay', 4);
    expect(await world.alerts('delay')).toMatchObject([
      { status: 'resolved', resolution: 'window 4 is within its bounds' },
    ]);
  });

  it('tells of drift under a correlation of its own, caused by the last request', async () => {
    const events = await world.events(['WindowEvaluated', 'DriftDetected', 'AlertRaised', 'AlertResolved']);
    expect(events.map(({ type }) => type)).toEqual([
      ...['WindowEvaluated', 'WindowEvaluated', 'DriftDetected', 'AlertRaised'],
      ...['WindowEvaluated', 'DriftDetected', 'WindowEvaluated', 'AlertResolved'],
    ]);
    const drift = events[2]!;
    const { windowId, to } = (drift.data as { window: { windowId: string; to: string } }).window;
    expect(drift).toMatchObject({ actor: 'service:monitoring', cause: `request:${to}`, correlation: windowId });
  });

  it('closes windows at exactly as many rows, and splits a request between two', async () => {
    await world.call('PUT', 'monitors/split', monitor('split', { windowRows: 90 }));
    await world.serve('split', traffic(400), 50);
    const windows = await world.windowsOnce('split', 4);
    expect(windows.map(({ window }) => window.rows)).toEqual([90, 90, 90, 90]);
    expect(windows[1]!.window.from).toBe(windows[2]!.window.to);
    await world.gathered('split', 40);
  });

  it('counts neither failures, nor shadows, nor what was served before it, nor a request twice', async () => {
    await world.call('PUT', 'monitors/strict', monitor('strict'));
    await world.serve('strict', traffic(100), 50, { status: 400 });
    await world.serve('strict', traffic(100), 50, { shadow: true });
    await world.serve('strict', traffic(100), 50, { tenant: 'another' });
    await world.serve('strict', traffic(100), 50, { time: '2020-01-01T00:00:00.000Z' });
    const twice = messageOf(payload('strict', { inputs: [tensor('temp', [1, 2, 3])] }));
    await world.publish([twice, twice]);
    await world.publish([twice]);
    await world.serve('strict', traffic(20), 20);
    await world.gathered('strict', 23);
  });

  it('begins anew when it is defined anew, and not when the same is sent again', async () => {
    await world.call('PUT', 'monitors/again', monitor('again'));
    await world.serve('again', traffic(100), 50);
    await world.gathered('again', 100);
    expect((await world.call('PUT', 'monitors/again', monitor('again'))).body).toMatchObject({
      revision: 1,
      gathering: { rows: 100 },
    });
    const changed = await world.call('PUT', 'monitors/again', monitor('again', { windowRows: 100 }));
    expect(changed.body).toMatchObject({ revision: 2, gathering: { rows: 0, of: 100 } });
    await world.serve('again', traffic(100, { mean: 90 }), 50);
    expect(await world.windowsOnce('again', 1)).toMatchObject([{ revision: 2, drifted: true }]);
    await world.call('PUT', 'monitors/again', monitor('again', { windowRows: 200 }));
    expect(await world.alerts('again')).toMatchObject([
      { status: 'resolved', resolution: 'the monitor was defined anew' },
    ]);
  });

  it('is gone when deleted, and its name is free', async () => {
    await world.call('PUT', 'monitors/gone', monitor('gone'));
    await world.serve('gone', traffic(50), 50);
    await world.gathered('gone', 50);
    const { body } = await world.call('GET', 'monitors/gone');
    const key = { 'idempotency-key': 'delete-once' };
    expect((await world.call('DELETE', 'monitors/gone', undefined, key)).status).toBe(204);
    expect((await world.call('DELETE', 'monitors/gone', undefined, key)).status).toBe(204);
    expect((await world.call('GET', 'monitors/gone')).status).toBe(404);
    expect((await world.call('DELETE', 'monitors/gone')).status).toBe(404);
    const anew = await world.call('PUT', 'monitors/gone', monitor('gone'));
    expect(anew.body).toMatchObject({ revision: 1, gathering: { rows: 0 } });
    expect(anew.body.monitorId).not.toBe(body.monitorId);
  });

  it('is defined once by the same idempotency key', async () => {
    const key = { 'idempotency-key': 'define-once' };
    const first = await world.call('PUT', 'monitors/once', monitor('once'), key);
    const again = await world.call('PUT', 'monitors/once', monitor('once'), key);
    expect(again).toEqual(first);
    const other = await world.call('PUT', 'monitors/once', monitor('once', { windowRows: 50 }), key);
    expect(other.status).toBe(422);
  });

  it('takes the first rows served as its reference', async () => {
    const body = monitor('served', { windowRows: 300, reference: { payloads: { rows: 1_000 } } });
    const { body: defined } = await world.call('PUT', 'monitors/served', body);
    expect(defined).toMatchObject({ gathering: { for: 'reference', of: 1_000 }, reference: { sha256: null } });
    await world.serve('served', traffic(700, { seed: 11 }), 70);
    await world.gathered('served', 700);
    await world.serve('served', traffic(640, { seed: 12 }), 80);
    expect(await world.windowsOnce('served', 1)).toMatchObject([{ drifted: false, window: { rows: 300 } }]);
    await world.gathered('served', 40);
    const { body: shown } = await world.call('GET', 'monitors/served');
    expect(shown.reference).toMatchObject({
      from: 'payloads',
      rows: 1_000,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await world.serve('served', traffic(260, { mean: 80, seed: 13 }), 260);
    expect(await world.windowsOnce('served', 2)).toMatchObject([{ drifted: true }, {}]);
  });

  it('reads columns of the only input in the order of its features', async () => {
    const numeric = { kind: 'numeric', method: 'ks' };
    await world.call('PUT', 'monitors/matrix', {
      ...monitor('matrix', { windowRows: 200, mode: 'evidently' }),
      reference: { ...reference(), columns: { a: normal(500, { mean: 1 }), b: normal(500, { mean: 5, seed: 2 }) } },
      features: [{ feature: 'a', ...numeric }, { feature: 'b', ...numeric }], // prettier-ignore
    });
    const a = normal(200, { mean: 1, seed: 3 });
    const b = normal(200, { mean: 9, seed: 4 });
    const input = {
      name: 'input',
      datatype: 'FP32',
      shape: [200, 2],
      data: a.flatMap((value, row) => [value, b[row]!]),
    };
    await world.publish([messageOf(payload('matrix', { inputs: [input] }))]);
    const [window] = await world.windowsOnce('matrix', 1);
    expect(window!.features.map(({ feature, drifted }) => [feature, drifted])).toEqual([['a', false], ['b', true]]); // prettier-ignore
    expect(window!.features[1]!.pValue).toBeLessThan(1e-6);
  });

  it('reads large tensors where they lie', async () => {
    await world.call('PUT', 'monitors/large', monitor('large', { windowRows: 100 }));
    const { temp, carrier } = traffic(100);
    const bytes = Buffer.from(
      JSON.stringify({ inputs: [tensor('temp', temp), tensor('carrier', carrier)], outputs: [] }),
    );
    const objectKey = newObjectKey({ tenant: 'default', service: 'serving', ownerId: 'e-1', id: randomUUID() });
    await world.kit.runtime.objectStore.put(objectKey, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await world.publish([messageOf(payload('large', { tensors: { objectKey, sha256 } }))]);
    expect(await world.windowsOnce('large', 1)).toMatchObject([{ drifted: false, meanPrediction: null }]);
  });

  it('says when a feature has no values any more, and never NaN', async () => {
    await world.call('PUT', 'monitors/bare', monitor('bare', { windowRows: 50 }));
    await world.serve('bare', { temp: Array<string>(50).fill('NaN'), other: normal(50) }, 50);
    const [window] = await world.windowsOnce('bare', 1);
    expect(window).toMatchObject({ drifted: true, driftedShare: 1 });
    for (const feature of window!.features) {
      expect(feature).toMatchObject({ statistic: null, meanCurrent: null, rowsCurrent: 0, drifted: true });
    }
    expect((await world.alerts('bare'))[0]!.message).toBe('temp has no values; carrier has no values');
  });

  it('parks an ill-shaped payload alone', async () => {
    await world.call('PUT', 'monitors/poison', monitor('poison'));
    const broken = [
      { ...tensor('temp', [1, 2, 3]), shape: [4] },
      { ...tensor('temp', [1, 2, 3]), shape: [-3] },
      { ...tensor('temp', [1, 2, 3]), shape: [2 ** 31, 2 ** 31] },
    ].map((input) => messageOf(payload('poison', { inputs: [input] })));
    await world.publish([...broken, { key: 'x', headers: {}, value: Buffer.from('{') }]);
    await world.serve('poison', traffic(30), 30);
    await world.gathered('poison', 30);
    const parked = await eventually(async () => {
      const { body } = await world.call('GET', 'services/monitoring/parked');
      expect(body.parked ?? body.events ?? body).toHaveLength(4);
      return body;
    });
    expect(JSON.stringify(parked)).toContain('shape [4] is not that of 3 values');
  }, 60_000);
});
