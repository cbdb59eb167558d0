import { eventsOf, type ServiceName } from '@mledger/contracts';
import type { Recorded } from '@mledger/event-log';
import { edgesOfEvent, LINEAGE_TYPES } from './edges-of-event';
import { namesIn, walk } from './lineage-graph';
import type { KnownEdge } from './lineage-queries';
import { kindOf, nodeOfPlace, placeOfSource } from './nodes';

type LineageEvent = Parameters<typeof edgesOfEvent>[0];

/** The example of a type in the contracts, as if it had been recorded. */
function example(service: ServiceName, type: string, given: Partial<Recorded> = {}): LineageEvent {
  const definition = eventsOf(service).find((one) => one.type === type)!;
  const data = definition.data.parse(definition.example);
  const recorded = { id: 'the-event', cause: 'request:r', type, data, ...given };
  return recorded as unknown as LineageEvent;
}

describe('where a dataset came from', () => {
  const commit = 'c'.repeat(64);
  it.each([
    [`s3://flights/${commit}/months/01.parquet`, `commit:flights/${commit}`, 'months/01.parquet'],
    [`{"uri": "s3://flights/${commit}/a/b.csv"}`, `commit:flights/${commit}`, 'a/b.csv'],
    ['s3://flights/main/a.csv', 'ref:flights/main', 'a.csv'],
    ['lakefs://flights/v1.0/a.csv', 'ref:flights/v1.0', 'a.csv'],
    ['{"uri": "s3://flights/c4d1/a.csv"}', 'ref:flights/c4d1', 'a.csv'],
  ])('%s is of %s', (source, expected, path) => {
    const place = placeOfSource(source)!;
    expect([nodeOfPlace(place), place.path]).toEqual([expected, path]);
  });

  it.each(['', 'local.csv', 'https://host/a/b/c', '{', '{"uri": 7}', '{}', 's3://bucket', 's3://bucket/key'])(
    '%j is no place of ours',
    (source) => expect(placeOfSource(source)).toBeUndefined(),
  );
});

describe('the edges of an event', () => {
  const SERVICES = ['versioning', 'experiments', 'registry', 'serving', 'monitoring', 'pipelines'] as const;

  it('are between nodes of known kinds, for every type that is read', () => {
    for (const type of LINEAGE_TYPES) {
      const service = SERVICES.find((name) => eventsOf(name).some((definition) => definition.type === type))!;
      const edges = edgesOfEvent(example(service, type));
      for (const { from, to } of edges) {
        expect(kindOf(to)).toBeDefined();
        if (from !== '') expect(kindOf(from)).toBeDefined();
      }
    }
  });

  it('lead from a model version to a revision', () => {
    expect(edgesOfEvent(example('serving', 'RevisionDeployed'))).toEqual([
      { from: 'model:delay/2', kind: 'deployed as', to: 'endpoint:delay/2' },
      { from: 'endpoint:delay/2', kind: 'revision of', to: 'endpoint:delay' },
    ]);
  });

  it('tie a run to the step that started it, and to nothing when a person did', () => {
    const cause = '0199f1c2-0000-5000-8000-000000000001';
    const started = edgesOfEvent(example('experiments', 'RunStarted', { cause }));
    expect(started).toContainEqual(expect.objectContaining({ from: `event:${cause}`, kind: 'started' }));
    expect(edgesOfEvent(example('experiments', 'RunStarted'))).toHaveLength(1);
  });
});

describe('a walk', () => {
  const edge = (from: string, to: string): KnownEdge => ({ from, to, kind: 'parent of', event: null });
  const chain = Array.from({ length: 10 }, (_, index) => edge(`commit:r/${index}`, `commit:r/${index + 1}`));
  const upstreamOf = (edges: readonly KnownEdge[]) => async (ring: readonly string[], limit: number) =>
    edges.filter(({ to }) => ring.includes(to)).slice(0, limit);

  it('goes on to the end, each node once, though it meet a circle', async () => {
    const circle = [...chain, edge('commit:r/10', 'commit:r/0')];
    const { edges, truncated } = await walk(
      'commit:r/10',
      'upstream',
      { depth: 50, edgesMax: 100 },
      upstreamOf(circle),
    );
    expect({ edges: edges.length, truncated }).toEqual({ edges: 11, truncated: false });
    expect(namesIn('commit:r/10', edges)).toHaveLength(11);
  });

  it.each([
    [{ depth: 3, edgesMax: 100 }, 3],
    [{ depth: 50, edgesMax: 4 }, 4],
  ])('stops at %j, and says that there is more', async (bounds, expected) => {
    const { edges, truncated } = await walk('commit:r/10', 'upstream', bounds, upstreamOf(chain));
    expect({ edges: edges.length, truncated }).toEqual({ edges: expected, truncated: true });
  });

  it('does not say that there is more when the bound is met exactly', async () => {
    const { edges, truncated } = await walk('commit:r/10', 'upstream', { depth: 11, edgesMax: 10 }, upstreamOf(chain));
    expect({ edges: edges.length, truncated }).toEqual({ edges: 10, truncated: false });
  });
});
