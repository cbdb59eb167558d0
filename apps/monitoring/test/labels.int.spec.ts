import { v7 } from 'uuid';
import { MonitoringWorld, normal } from './monitoring-world';

let world: MonitoringWorld;
beforeAll(async () => {
  world = await MonitoringWorld.start();
});
afterAll(() => world?.stop());

const ROWS = 4_000;
const EACH = 100;

const monitor = (endpoint: string, change: object = {}) => ({
  endpoint,
  windowRows: ROWS,
  reference: { repository: 'r', commit: 'c', paths: ['p'], columns: { temp: normal(2_000, { seed: 5 }) } },
  features: [{ feature: 'temp', kind: 'numeric' }],
  performance: { metric: 'auc', atLeast: 0.65 },
  ...change,
});

/** Scores that tell the label from chance as well as the strength says: 0 not at all. */
function scored(strength: number, rows = ROWS): { truth: boolean[]; scores: number[] } {
  const noise = normal(rows, { seed: 21 });
  const truth = normal(rows, { seed: 22 }).map((value) => value > 0.5);
  const scores = noise.map((value, row) => 1 / (1 + Math.exp(-(value + (truth[row] ? strength : 0)))));
  return { truth, scores };
}

const serve = (endpoint: string, scores: readonly number[], seed: number) =>
  world.serve(endpoint, { temp: normal(scores.length, { seed }) }, EACH, {}, scores);
const labelsOf = (requestIds: readonly string[], truth: readonly boolean[]) =>
  truth.map((label, row) => ({ requestId: requestIds[Math.floor(row / EACH)], row: row % EACH, label: Number(label) }));
const judged = (name: string, number: number) =>
  world.windowsOnce(name, number).then(([newest]) => newest!.performance);

describe('late labels', () => {
  it('judge a window; an alert is raised below the floor and resolved by a later window above it', async () => {
    await world.call('PUT', 'monitors/auc', monitor('auc'));
    const bad = scored(0.1);
    const requests = await serve('auc', bad.scores, 31);
    expect(await judged('auc', 1)).toBeNull();
    const { status, body } = await world.call('POST', 'endpoints/auc/labels', labelsOf(requests, bad.truth));
    expect({ status, body }).toEqual({
      status: 200,
      body: { received: ROWS, unknownRequests: 0, unknownRequestIds: [], tooLate: 0 },
    });
    const low = await judged('auc', 1);
    expect(low).toMatchObject({ metric: 'auc', labelled: ROWS, threshold: 0.65, degraded: true });
    expect(low!.value).toBeGreaterThan(0.5);
    expect(await world.alerts('auc')).toMatchObject([
      {
        kind: 'performance',
        status: 'open',
        message: expect.stringMatching(/^auc 0\.5\d+ below 0.65, by 4000 labels$/),
      },
    ]);

    const good = scored(1.5);
    const later = await serve('auc', good.scores, 32);
    await world.windowsOnce('auc', 2);
    await world.call('POST', 'endpoints/auc/labels', labelsOf(later, good.truth));
    expect(await judged('auc', 2)).toMatchObject({ degraded: false });
    expect(await world.alerts('auc')).toMatchObject([{ status: 'resolved' }]);
    const types = (await world.events(['PerformanceEvaluated', 'PerformanceDegraded'])).map(({ type }) => type);
    expect(types).toEqual(['PerformanceEvaluated', 'PerformanceDegraded', 'PerformanceEvaluated']);

    // Sent again, by a client whose answer was lost: nothing is judged twice, and nothing was too late.
    const again = await world.call('POST', 'endpoints/auc/labels', labelsOf(later, good.truth));
    expect(again.body).toMatchObject({ received: ROWS, tooLate: 0 });
    expect(await world.events(['PerformanceEvaluated'])).toHaveLength(2);
  });

  it('may come before the predictions, and in parts', async () => {
    await world.call(
      'PUT',
      'monitors/early',
      monitor('early', { windowRows: 200, performance: { metric: 'accuracy', atLeast: 0.9, labelledShare: 0.75 } }),
    );
    const { truth } = scored(1, 200);
    const right = truth.map((label, row) => (row < 150 ? Number(label) : Number(!label)));
    const requests = [v7(), v7()];
    const labels = labelsOf(requests, truth);
    const { body } = await world.call('POST', 'endpoints/early/labels', labels.slice(0, 100));
    expect(body).toEqual({ received: 100, unknownRequests: 1, unknownRequestIds: [requests[0]], tooLate: 0 });
    for (const [index, requestId] of requests.entries()) {
      const part = right.slice(index * EACH, (index + 1) * EACH);
      await world.serve('early', { temp: normal(EACH) }, EACH, { requestId }, part);
    }
    expect(await judged('early', 1)).toBeNull();
    await world.call('POST', 'endpoints/early/labels', labels.slice(100, 149));
    expect(await judged('early', 1)).toBeNull();
    await world.call('POST', 'endpoints/early/labels', labels.slice(149, 150));
    expect(await judged('early', 1)).toMatchObject({ value: 1, labelled: 150, degraded: false });
  });

  it('that came before the window closed judge it as it closes', async () => {
    await world.call('PUT', 'monitors/open', monitor('open', { windowRows: 150 }));
    const { truth, scores } = scored(2, 200);
    const first = await serve('open', scores.slice(0, 100), 41);
    await world.gathered('open', 100);
    await world.call('POST', 'endpoints/open/labels', labelsOf(first, truth.slice(0, 100)));
    const second = [v7()];
    await world.call('POST', 'endpoints/open/labels', labelsOf(second, truth.slice(100)));
    await world.serve('open', { temp: normal(100) }, EACH, { requestId: second[0] }, scores.slice(100));
    expect(await judged('open', 1)).toMatchObject({ labelled: 150 });
  });

  it('take the place of earlier ones until their window is judged, and are told to be too late after that', async () => {
    const performance = { metric: 'accuracy', atLeast: 0.9, labelledShare: 1 };
    await world.call('PUT', 'monitors/corrected', monitor('corrected', { windowRows: EACH, performance }));
    const requests = await serve('corrected', Array<number>(EACH).fill(1), 61);
    await world.windowsOnce('corrected', 1);
    const right = labelsOf(requests, Array<boolean>(EACH).fill(true));
    const wrong = labelsOf(requests, Array<boolean>(EACH).fill(false));
    await world.call('POST', 'endpoints/corrected/labels', wrong.slice(0, -1));
    await world.call('POST', 'endpoints/corrected/labels', right);
    expect(await judged('corrected', 1)).toMatchObject({ value: 1, labelled: EACH });
    const late = await world.call('POST', 'endpoints/corrected/labels', [...right.slice(0, 5), ...wrong.slice(5)]);
    expect(late).toMatchObject({ status: 200, body: { received: EACH, unknownRequests: 0, tooLate: EACH - 5 } });
    expect(await judged('corrected', 1)).toMatchObject({ value: 1 });
  });

  it('sent again with their key undo no correction, and the key is good for no others', async () => {
    const performance = { metric: 'accuracy', atLeast: 0.9, labelledShare: 1 };
    await world.call('PUT', 'monitors/keyed', monitor('keyed', { windowRows: EACH, performance }));
    const requests = await serve('keyed', Array<number>(EACH).fill(1), 62);
    await world.windowsOnce('keyed', 1);
    const right = labelsOf(requests, Array<boolean>(EACH).fill(true));
    const [wrong] = labelsOf(requests, [false]);
    const send = (body: object[], key?: string) =>
      world.call('POST', 'endpoints/keyed/labels', body, key === undefined ? {} : { 'idempotency-key': key });
    const [first, twin] = await Promise.all([send([wrong!], 'k'), send([wrong!], 'k')]);
    expect(first).toMatchObject({ status: 200, body: { received: 1 } });
    expect(twin).toEqual(first);
    await send(right.slice(0, 1));
    expect(await send([wrong!], 'k')).toEqual(first);
    expect(await send(right, 'k')).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    await send(right.slice(1));
    expect(await judged('keyed', 1)).toMatchObject({ value: 1, labelled: EACH });
  });

  it('judge windows of an earlier definition by a new threshold, but by no other metric', async () => {
    const definition = (performance: object) =>
      monitor('anew', { windowRows: EACH, performance: { metric: 'accuracy', atLeast: 0.9, ...performance } });
    await world.call('PUT', 'monitors/anew', definition({}));
    const requests = await serve('anew', Array<number>(2 * EACH).fill(1), 64);
    await world.windowsOnce('anew', 2);
    const [first, second] = requests.map((request) => labelsOf([request], Array<boolean>(EACH).fill(false)));
    await world.call('PUT', 'monitors/anew', definition({ atLeast: 0.1 }));
    await world.call('POST', 'endpoints/anew/labels', first);
    expect((await world.windows('anew'))[1]!.performance).toMatchObject({ value: 0, threshold: 0.1 });
    await world.call('PUT', 'monitors/anew', definition({ metric: 'auc' }));
    expect((await world.call('POST', 'endpoints/anew/labels', second)).body).toMatchObject({ unknownRequests: 1 });
    expect((await world.windows('anew'))[0]!.performance).toBeNull();
  });

  it('for a row that their request has not are refused, all of them', async () => {
    const performance = { metric: 'accuracy', atLeast: 0.9, labelledShare: 0.01 };
    await world.call('PUT', 'monitors/beyond', monitor('beyond', { windowRows: EACH, performance }));
    const requests = await serve('beyond', Array<number>(EACH).fill(1), 63);
    await world.windowsOnce('beyond', 1);
    const labels = [0, EACH].map((row) => ({ requestId: requests[0], row, label: 1 }));
    expect(await world.call('POST', 'endpoints/beyond/labels', labels)).toMatchObject({
      status: 400,
      body: { detail: `1.row: there is no row ${EACH}, as request ${requests[0]} has ${EACH} of them, counted from 0` },
    });
    expect(await judged('beyond', 1)).toBeNull();
  });

  it('of one class say nothing about an AUC', async () => {
    await world.call('PUT', 'monitors/oneclass', monitor('oneclass', { windowRows: 100 }));
    const requests = await serve('oneclass', scored(1, 100).scores, 51);
    await world.windowsOnce('oneclass', 1);
    await world.call('POST', 'endpoints/oneclass/labels', labelsOf(requests, Array<boolean>(100).fill(true)));
    expect(await judged('oneclass', 1)).toMatchObject({ value: null, labelled: 100, degraded: false });
  });

  it('are refused where no monitor would judge by them', async () => {
    const label = [{ requestId: v7(), row: 0, label: 1 }];
    expect((await world.call('POST', 'endpoints/nobody/labels', label)).status).toBe(404);
    await world.call('PUT', 'monitors/blind', monitor('blind', { performance: null }));
    expect((await world.call('POST', 'endpoints/blind/labels', label)).status).toBe(404);
  });

  it.each([
    ['no labels', []],
    ['no array', { requestId: v7(), row: 0, label: 1 }],
    ['a negative row', [{ requestId: v7(), row: -1, label: 1 }]],
    ['half a row', [{ requestId: v7(), row: 0.5, label: 1 }]],
    ['a request id that is none', [{ requestId: '../../etc', row: 0, label: 1 }]],
    ['no label', [{ requestId: v7(), row: 0, label: null }]],
    ['another field', [{ requestId: v7(), row: 0, label: 1, weight: 2 }]],
    ['too many', Array.from({ length: 50_001 }, () => ({ requestId: v7(), row: 0, label: 1 }))],
  ])('are refused with %s', async (_what, body) => {
    const { status, body: problem } = await world.call('POST', 'endpoints/auc/labels', body);
    expect(status).toBe(400);
    expect(problem).toMatchObject({ status: 400, detail: expect.any(String) });
  });
});
