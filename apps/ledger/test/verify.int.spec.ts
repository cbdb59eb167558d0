import { DataSource } from 'typeorm';
import { LedgerWorld, numbered } from './ledger-world';

describe('verify', () => {
  let world: LedgerWorld;
  let sql: DataSource;

  beforeEach(async () => {
    world = await LedgerWorld.start();
    sql = world.kit.service.app.get(DataSource, { strict: false });
    for (const number of [1, 2, 3]) await world.tell('experiments', ['experiment', 'x'], [numbered(number)]);
    await world.tell(
      'registry',
      ['model', 'm'],
      [{ type: 'ModelDeleted', data: { modelId: 'm', model: 'm', versions: [] } }],
    );
    const sealed = [await world.predict(), await world.predict()];
    await world.seal(sealed);
    await arrived('experiments', 3);
    await arrived('registry', 1);
    await arrived('serving', 1);
    for (const service of ['experiments', 'registry', 'serving'] as const) {
      const { log } = await world.other(service);
      await log.checkpoint();
    }
    await world.awaited(
      'verify',
      ({ body }) => body.services.filter(({ provedSeq }: Proved) => provedSeq > 0).length >= 3,
    );
    await world.awaited('verify', ({ body }) => body.seals.predictions === 2);
  });
  afterEach(() => world.stop());

  interface Proved {
    service: string;
    provedSeq: number;
  }

  async function arrived(service: string, events: number): Promise<void> {
    await world.awaited(`events?service=${service}`, ({ body }) => body.events.length === events);
  }

  async function faults() {
    const { body } = await world.get('verify');
    expect(body.ok).toBe(body.faults.length === 0);
    return body.faults.map(({ kind, message }: { kind: string; message: string }) => ({ kind, message }));
  }

  it('proves the copy against what the services signed', async () => {
    const { status, body } = await world.get('verify');
    expect({ status, ok: body.ok, faults: body.faults }).toEqual({ status: 200, ok: true, faults: [] });
    const experiments = body.services.find(({ service }: Proved) => service === 'experiments');
    expect(experiments).toEqual({
      ...{ service: 'experiments', events: 3, provedSeq: 3, checkpoints: 1, hashes: 'recomputed' },
      checkpointAt: expect.any(String),
    });
    expect(body.seals).toEqual({ checked: 1, of: 1, predictions: 2 });
    const all = await world.get('events?limit=1000');
    expect(body.events).toBe(all.body.events.length);
  });

  it('finds a changed event, also when nothing else tells', async () => {
    await sql.query(`update timeline set actor = 'user:nobody' where service = 'experiments' and seq = 2`);
    expect(await faults()).toEqual([
      { kind: 'history-differs', message: expect.stringContaining('something from seq 1 to 3 differs') },
    ]);
  });

  it('finds an event that is gone, in the middle of a stream and at its end', async () => {
    await sql.query(`delete from timeline where service = 'experiments' and seq = 2`);
    expect(await faults()).toEqual([
      { kind: 'event-missing', message: 'event 2 is gone from the copy' },
      { kind: 'order-changed', message: 'default/experiment:x goes on with version 3 where 2 has to stand' },
    ]);
    await sql.query(`delete from timeline where service = 'experiments' and seq > 1`);
    expect(await faults()).toEqual([{ kind: 'event-missing', message: 'events 2 to 3 are gone from the copy' }]);
  });

  it('finds an event that was put under another name, and two that changed places', async () => {
    await sql.query(`update timeline set version = 9 where service = 'registry'`);
    expect(await faults()).toEqual([
      { kind: 'event-foreign', message: expect.stringContaining('default/model:m version 9') },
    ]);
    await sql.query(`update timeline set version = 1 where service = 'registry'`);
    await sql.query(`update timeline set seq = -seq where service = 'experiments' and seq < 3`);
    await sql.query(`update timeline set seq = 3 + seq where service = 'experiments' and seq < 0`);
    expect(await faults()).toEqual([{ kind: 'order-changed', message: expect.stringContaining('version 2 where 1') }]);
  });

  it('finds a checkpoint that this installation has not signed', async () => {
    await sql.query(
      `update checkpoints_heard set statement = jsonb_set(statement, '{chain}', to_jsonb(repeat('0', 64)))
       where service = 'experiments' and statement->>'seq' = '3'`,
    );
    expect(await faults()).toEqual([{ kind: 'checkpoint-forged', message: expect.stringContaining('seq 3') }]);
  });

  it('finds a prediction that is not the one that was sealed, and a list that is gone', async () => {
    await sql.query(`update predictions set payload = replace(payload, '0.25', '0.75')`);
    expect(await faults()).toEqual([
      { kind: 'prediction-changed', message: expect.stringContaining('is not the one') },
    ]);
    const { body } = await world.get('events?type=PredictionsSealed');
    await world.kit.runtime.objectStore.delete(body.events[0].data.objectKey);
    expect(await faults()).toEqual([{ kind: 'seal-broken', message: 'the list of sealed digests is gone' }]);
  });

  it('tells a tenant of its own, and of others only that there is something', async () => {
    await world.kit.access!.createTenant('acme');
    const { authorization } = await world.kit.access!.issueKey({ tenant: 'acme', roles: ['reader'] });
    await world.tell('experiments', ['experiment', 'theirs'], [numbered(1)], { tenant: 'acme' });
    const own = { authorization };
    // Of access four: the tenant, a user, a role, a key.
    await world.awaited('events', ({ body }) => body.events?.length === 5, own);
    await sql.query(`delete from timeline where stream = 'default/experiment:x' and version = 2`);
    const { body } = await world.get('verify', own);
    expect(body.ok).toBe(false);
    expect(JSON.stringify(body)).not.toContain('default/');
    expect(body.faults).toEqual([expect.objectContaining({ kind: 'event-missing' })]);
    expect(body.faultsElsewhere).toBe(1);
    expect(body.events).toBe(5);
  });
});
