import { catalogOf, SERVICE_NAMES } from '@mledger/contracts';
import { eventId, type Sequenced } from '@mledger/event-log';
import { DataSource } from 'typeorm';
import { TimelineOrder } from '../src/timeline/timeline-order';
import { timeline, TimelineRow } from '../src/timeline/timeline.read-model';
import { LedgerWorld, numbered, numberOf } from './ledger-world';

interface EventAnswer {
  cursor: string;
  id: string;
  service: string;
  seq: number;
  type: string;
  data: object;
}

describe('the timeline', () => {
  let world: LedgerWorld;
  beforeAll(async () => {
    world = await LedgerWorld.start();
  });
  afterAll(() => world.stop());

  it('shows the events of every service, each with all that is known of it', async () => {
    const [id] = await world.tell('experiments', ['experiment', 'shown'], [numbered(7)], {
      ...{ actor: 'user:bo', cause: 'request:r', correlation: 'shown-1' },
    });
    await world.tell('registry', ['model', 'shown'], [modelDescribed('one')], { correlation: 'shown-1' });
    const { body } = await world.awaited('events?correlation=shown-1', ({ body }) => body.events.length === 2);
    const event = body.events.find(({ service }: EventAnswer) => service === 'experiments');
    expect(event).toEqual({
      ...{ cursor: expect.stringMatching(/^\d+$/), id, service: 'experiments', seq: expect.any(Number) },
      ...{ type: 'ExperimentTagged', stream: 'default/experiment:shown', version: 1, actor: 'user:bo' },
      ...{ time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/), cause: 'request:r' },
      ...{ correlation: 'shown-1', data: numbered(7).data },
    });
    const registry = await world.get('events?correlation=shown-1&service=registry');
    expect(registry.body.events.map(({ type }: EventAnswer) => type)).toEqual(['ModelDescribed']);
  });

  it('gives pages in the order of a stream, either way, each event once', async () => {
    const numbers = Array.from({ length: 25 }, (_, index) => index);
    for (const number of numbers) {
      await world.tell('experiments', ['experiment', 'paged'], [numbered(number)], { correlation: 'paged' });
    }
    await world.awaited('events?correlation=paged&limit=100', ({ body }) => body.events.length === numbers.length);
    for (const order of ['oldest', 'newest'] as const) {
      const seen: number[] = [];
      let after = '';
      for (let pages = 0; ; pages += 1) {
        const { body } = await world.get(`events?stream=default/experiment:paged&limit=7&order=${order}${after}`);
        seen.push(...body.events.map(numberOf));
        expect(pages).toBeLessThan(5);
        if (body.next === null) break;
        after = `&after=${body.next}`;
      }
      expect(seen).toEqual(order === 'oldest' ? numbers : [...numbers].reverse());
    }
    const newest = await world.get('events?type=ExperimentTagged&order=newest&limit=1');
    expect(newest.body.events.map(numberOf)).toEqual([24]);
  });

  it('ends a page of large events before they are too many for memory, and loses none', async () => {
    const note = { key: 'note', value: 'x'.repeat(3 * 1024 * 1024) };
    const numbers = [1, 2, 3, 4, 5, 6, 7, 8];
    for (const number of numbers) {
      const event = {
        type: 'ExperimentTagged',
        data: { experimentId: 'x-1', tags: [{ key: 'number', value: String(number) }, note] },
      };
      await world.tell('experiments', ['experiment', 'large'], [event], { correlation: 'large' });
    }
    await world.awaited('events?correlation=large&order=newest&limit=1', ({ body }) => body.events[0]?.version === 8);
    for (const order of ['oldest', 'newest'] as const) {
      const first = await world.get(`events?correlation=large&limit=1000&order=${order}`);
      const second = await world.get(`events?correlation=large&limit=1000&order=${order}&after=${first.body.next}`);
      // The sixth brings it past 16 MiB.
      expect([first, second].map(({ body }) => body.events.length)).toEqual([6, 2]);
      expect(second.body.next).toBeNull();
      const seen = [...first.body.events, ...second.body.events].map(numberOf);
      expect(seen).toEqual(order === 'oldest' ? numbers : [...numbers].reverse());
    }
    expect((await world.get('verify')).body.ok).toBe(true);
  });

  it('keeps tenants apart', async () => {
    await world.kit.access!.createTenant('acme');
    await world.tell('experiments', ['experiment', 'theirs'], [numbered(1)], { tenant: 'acme', correlation: 'theirs' });
    await world.tell('experiments', ['experiment', 'ours'], [numbered(2)], { correlation: 'theirs' });
    const key = await world.kit.access!.issueKey({ tenant: 'acme', roles: ['reader'] });
    const theirs = { authorization: key.authorization };
    const { body } = await world.awaited('events?correlation=theirs', ({ body }) => body.events.length === 1, theirs);
    expect(body.events.map(numberOf)).toEqual([1]);
    const ours = await world.awaited('events?correlation=theirs', ({ body }) => body.events.length === 1);
    expect(ours.body.events.map(numberOf)).toEqual([2]);
    const all = await world.get('events?limit=1000', theirs);
    expect(all.body.events.every(({ stream }: { stream: string }) => stream.startsWith('acme/'))).toBe(true);
  });

  it.each([
    ['events?after=yesterday', /after/],
    ['events?after=-1', /after/],
    ['events?limit=0', /limit/],
    ['events?limit=1001', /limit/],
    ['events?service=nobody', /service/],
    ['events?order=random', /order/],
    ['events?colour=red', /colour/],
    ['events?stream=', /stream/],
    ['events/live?after=soon', /Last-Event-ID/],
  ])('refuses %s by name', async (path, message) => {
    const { status, body } = await world.get(path);
    expect({ status, type: typeof body.title }).toEqual({ status: 400, type: 'string' });
    expect(body.detail).toMatch(message);
  });

  it('answers an empty page beyond its end', async () => {
    expect((await world.get('events?after=999999999999999')).body).toEqual({ events: [], next: null });
  });

  it('shows nobody what opens a door', async () => {
    await world.kit.access!.issueKey({ roles: ['reader'] });
    const { body } = await world.awaited('events?type=KeyIssued', ({ body }) => body.events.length > 0);
    const [{ data }] = body.events;
    expect(data).toEqual({ keyId: expect.any(String), userId: expect.any(String) });
  });

  it('is the same, byte for byte, when it is built anew, and cursors stay good', async () => {
    // A rebuild reads every topic to its end, so each has to be there.
    for (const service of SERVICE_NAMES) if (!['access', 'ledger'].includes(service)) await world.other(service);
    const before = await world.get('events?limit=1000');
    const sql = world.kit.service.app.get(DataSource, { strict: false });
    for (const name of ['timeline', 'lineage_edges', 'prediction_seals']) {
      const rows = () => sql.query(`select md5(string_agg(t::text, '\n' order by t::text)) as digest from ${name} t`);
      const [live] = (await rows()) as { digest: string }[];
      const rebuilt = await world.kit.inject({
        ...{ method: 'POST', url: `/api/mledger/v1/services/ledger/projections/${name}/rebuild` },
      });
      expect(rebuilt.json()).toEqual({ rebuilt: name });
      expect(await rows()).toEqual([live]);
    }
    expect((await world.get('events?limit=1000')).body.events).toEqual(before.body.events);
  });
});

describe('the order of the timeline', () => {
  let world: LedgerWorld;
  let sql: DataSource;
  let order: TimelineOrder;
  beforeAll(async () => {
    world = await LedgerWorld.start();
    sql = world.kit.service.app.get(DataSource, { strict: false });
    order = world.kit.service.app.get(TimelineOrder, { strict: false });
  });
  afterAll(() => world.stop());

  it('gives no place to what stands behind an event that commits late, and then to both in their order', async () => {
    const late = sql.createQueryRunner();
    await late.startTransaction();
    try {
      await late.manager.insert(TimelineRow, rowOf(1, 'late'));
      await sql.manager.insert(TimelineRow, rowOf(2, 'early'));
      const head = await order.advance();
      // A follower that reads now, and goes on from here, must still get both.
      expect(await seqsAfter(0)).toEqual([]);
      await late.commitTransaction();
      await order.advance();
      expect(await seqsAfter(head)).toEqual([1, 2]);
    } finally {
      await late.release();
    }
  });

  it('waits for a partition that lags, and lets others go on', async () => {
    const head = await order.advance();
    await sql.manager.insert(TimelineRow, rowOf(4, 'ahead'));
    await world.tell('experiments', ['experiment', 'others'], [numbered(1)]);
    await world.awaited('events?service=experiments', ({ body }) => body.events.length === 1);
    expect(await seqsAfter(head)).toEqual([]);
    await sql.manager.insert(TimelineRow, rowOf(3, 'behind'));
    await order.advance();
    expect(await seqsAfter(head)).toEqual([3, 4]);
  });

  it('is dense, however many number at once', async () => {
    for (let seq = 5; seq <= 60; seq += 1) await sql.manager.insert(TimelineRow, rowOf(seq, `many-${seq}`));
    await Promise.all(Array.from({ length: 4 }, () => order.advance()));
    await order.advance();
    const rows = (await sql.query('select position from timeline_order order by position')) as { position: number }[];
    expect(rows.map(({ position }) => position)).toEqual(rows.map((_row, index) => index + 1));
    expect(await seqsAfter(0)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  async function seqsAfter(after: number): Promise<number[]> {
    const { body } = await world.get(`events?service=pipelines&limit=1000&after=${after}`);
    return body.events.map(({ seq }: EventAnswer) => seq);
  }
});

/** A row of the timeline as the read model makes it of an event of the pipelines service, of which no log runs here. */
function rowOf(seq: number, key: string): TimelineRow {
  const stream = `default/pipeline:${key}`;
  const data = { pipelineId: key, pipeline: key };
  const event: Sequenced = {
    ...{ id: eventId('pipelines', stream, 1), stream, version: 1, type: 'PipelineDeleted', data, seq },
    ...{ schema: catalogOf('pipelines')['PipelineDeleted']!.schema, time: '2026-11-23T08:00:00.000Z' },
    ...{ tenant: 'default', actor: 'user:ana', cause: 'test', correlation: 'c' },
  };
  const [change] = timeline.project(event);
  return (change as { put: TimelineRow }).put;
}

function modelDescribed(description: string) {
  return { type: 'ModelDescribed', data: { modelId: 'm', model: 'm', description } };
}
