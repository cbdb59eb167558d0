import { eventually } from '@mledger/service-kit/testing';
import { LakefsClient } from './lakefs-client';
import { versioningService } from '../src/versioning.definition';

let client: LakefsClient;
beforeAll(async () => {
  client = await LakefsClient.start();
});
afterAll(() => client.stop());

/** Something of every event. */
async function live(): Promise<void> {
  const repository = await client.newRepository();
  const first = await client.commitFiles(repository, { a: '1', b: '1' });
  await client.branchOff(repository, 'dev');
  await client.branchOff(repository, 'gone');
  await client.commitFiles(repository, { a: '2' }, 'dev');
  await client.merge(repository, 'dev', 'main');
  await client.call('POST', `${repository}/branches/dev/cherry-pick`, {
    body: { ref: 'main', parent_number: 2, allow_empty: true },
  });
  const revert = { ref: 'dev~1', parent_number: 0, allow_empty: true };
  await client.call('POST', `${repository}/branches/dev/revert`, { body: revert });
  await client.call('PUT', `${repository}/branches/dev/hard_reset?ref=${first}`);
  await client.call('DELETE', `${repository}/branches/gone`);
  for (const id of ['v1', 'v2']) await client.call('POST', `${repository}/tags`, { body: { id, ref: 'main' } });
  await client.call('DELETE', `${repository}/tags/v1`);
  await client.call('POST', `${repository}/metadata`, { body: { metadata: { k: 'v' } } });
  await client.call('PUT', `${repository}/settings/branch_protection`, { body: [{ pattern: 'main' }] });
  await client.call('DELETE', await client.newRepository());
}

it('every projection, built again from the log, is the same to the byte', async () => {
  await live();
  const { log } = client.service.service;
  const projected = new Set(versioningService.projections.flatMap((projection) => projection.types));
  await eventually(async () => {
    const types = new Set((await log.store.readLog({ afterSeq: 0, limit: 1000 })).map(({ type }) => type));
    expect([...projected].filter((type) => !types.has(type))).toEqual([]);
  });
  for (const { name } of versioningService.projections) {
    const rows = () => log.dataSource.query(`select t::text as row from ${name} t order by 1`);
    const before = await rows();
    expect(before.length).toBeGreaterThan(0);
    await log.rebuild(name);
    expect(await rows()).toEqual(before);
  }
});

it('the log holds, and says so', async () => {
  const report = await client.service.service.log.verify();
  expect(report).toMatchObject({ ok: true });
});
