import { withCommitId, type CommitContent } from './commit-id';

const content: CommitContent = {
  parents: ['1'.repeat(64), '2'.repeat(64)],
  committer: 'user:ana',
  message: 'why',
  createdAtSeconds: 1_700_000_000,
  treeId: 'a'.repeat(64),
  metadata: { a: '1', b: '2' },
  generation: 3,
};

describe('the id of a commit', () => {
  it('is the same for the same content, whatever the order of its metadata, and for ever', () => {
    const { id } = withCommitId(content);
    expect(withCommitId({ ...content, metadata: { b: '2', a: '1' } }).id).toBe(id);
    expect(id).toMatchInlineSnapshot(`"11e7882a2333f414d183440f2728c5fe45d01eda025e6b84f6ee7cfdd5755d1f"`);
  });

  it.each<Partial<CommitContent>>([
    { parents: ['2'.repeat(64), '1'.repeat(64)] },
    { committer: 'user:an', message: 'awhy' },
    { message: '' },
    { createdAtSeconds: 1_700_000_001 },
    { treeId: '' },
    { metadata: { a: '1', b: '2', c: '' } },
    { metadata: { ab: '12' } },
  ])('is another for another content: %j', (change) => {
    expect(withCommitId({ ...content, ...change }).id).not.toBe(withCommitId(content).id);
  });
});
