import { z } from 'zod';
import { defineEvent, type EventDefinition, type EventOf } from '../event-definition';

/** The version a revision serves, and where its bytes lie. */
const servedModel = z.object({
  modelId: z.string(),
  model: z.string(),
  version: z.number().int().positive(),
  runId: z.string().nullable(),
  loggedModelId: z.string().nullable(),
  /** The ONNX graph's object and digest, taken from the registry's event. */
  objectKey: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z.string(),
});
export type ServedModel = z.output<typeof servedModel>;

/** What an endpoint serves: whoever holds an alias, or one version for good; exactly one of the two is set. */
const follows = z.object({
  model: z.string(),
  alias: z.string().nullable(),
  version: z.number().int().positive().nullable(),
});
export type EndpointFollows = z.output<typeof follows>;

const endpoint = { endpointId: z.string(), endpoint: z.string() };
const revision = z.number().int().positive();
const share = z.object({ revision, percent: z.number().min(0).max(100) });

const ENDPOINT = { endpointId: '0199f1c2-0000-7000-8000-0000000000e1', endpoint: 'delay' };
const FOLLOWS = { model: 'delay', alias: 'champion', version: null };
const MODEL = {
  modelId: '0199f1c2-0000-7000-8000-000000000001',
  model: 'delay',
  version: 2,
  runId: '4f6ac1d0c2b84a6f9b1d8e3f5a7c9e21',
  loggedModelId: 'm-7d3e5b6a4c1f4e0d9a8b7c6d5e4f3a2b',
  objectKey: 'default/experiments/1/a3/0199',
  sizeBytes: 51_200,
  sha256: 'b1946ac9',
};

function servingEvent<const T extends string, D extends z.ZodObject>(
  type: T,
  summary: string,
  data: D,
  example: z.input<D>,
): EventDefinition<T, D> {
  return defineEvent({ service: 'serving', type, schema: 1, summary, data, example });
}

const nameEvents = [
  servingEvent('NameClaimed', 'On a name’s own stream: the name means this endpoint.', z.object(endpoint), ENDPOINT),
  servingEvent('NameReleased', 'On a name’s own stream: the name is free again.', z.object(endpoint), ENDPOINT),
] as const;

const endpointEvents = [
  servingEvent('EndpointCreated', 'An endpoint exists and follows a model.', z.object({ ...endpoint, follows }), {
    ...ENDPOINT,
    follows: FOLLOWS,
  }),
  servingEvent(
    'EndpointRetargeted',
    'An endpoint follows something else from here on.',
    z.object({ ...endpoint, follows }),
    { ...ENDPOINT, follows: { model: 'delay', alias: null, version: 7 } },
  ),
  servingEvent(
    'RevisionDeployed',
    'The next revision of an endpoint; all traffic goes to it unless TrafficShifted says otherwise.',
    z.object({ ...endpoint, revision, servedModel, reason: z.string() }),
    { ...ENDPOINT, revision: 2, servedModel: MODEL, reason: 'models:/delay@champion moved from 1 to 2' },
  ),
  servingEvent(
    'RevisionFailed',
    'A model could not be loaded; the revision before goes on serving.',
    z.object({ ...endpoint, revision, reason: z.string() }),
    { ...ENDPOINT, revision: 3, reason: 'the object is not an ONNX graph' },
  ),
  servingEvent(
    'TrafficShifted',
    'Which revisions answer, and what share of the requests each.',
    z.object({ ...endpoint, shares: z.array(share), reason: z.string() }),
    {
      ...ENDPOINT,
      shares: [
        { revision: 1, percent: 90 },
        { revision: 2, percent: 10 },
      ],
      reason: 'canary',
    },
  ),
  servingEvent(
    'ShadowAttached',
    'A revision sees a copy of the requests; its answers are recorded and never returned.',
    z.object({ ...endpoint, revision }),
    { ...ENDPOINT, revision: 2 },
  ),
  servingEvent('ShadowDetached', 'A revision sees no copies any more.', z.object({ ...endpoint, revision }), {
    ...ENDPOINT,
    revision: 2,
  }),
  servingEvent(
    'RevisionRolledBack',
    'All traffic goes to an earlier revision again.',
    z.object({ ...endpoint, fromRevision: revision, toRevision: revision, reason: z.string() }),
    { ...ENDPOINT, fromRevision: 2, toRevision: 1, reason: 'errors doubled' },
  ),
  servingEvent('EndpointDeleted', 'An endpoint is gone; its history stays.', z.object(endpoint), ENDPOINT),
] as const;

const sealEvents = [
  servingEvent(
    'PredictionsSealed',
    'On `<tenant>/endpoint-seal:<id>`: the Merkle root over consecutive payloads, so that predictions too are tamper-evident.',
    z.object({
      ...endpoint,
      revision,
      /** First and last request id (UUIDv7) under the seal, both inclusive. */
      from: z.string(),
      to: z.string(),
      count: z.number().int().positive(),
      /** Hex SHA-256 root over the payloads' digests, in order. */
      merkleRoot: z.string(),
      /** Where the list of (request id, digest) lies. */
      objectKey: z.string(),
    }),
    {
      ...ENDPOINT,
      revision: 2,
      from: '0199f1c2-0000-7000-8000-000000000101',
      to: '0199f1c2-0000-7000-8000-0000000004e8',
      count: 1000,
      merkleRoot: '9f86d081',
      objectKey: 'default/serving/0199/ab/0199',
    },
  ),
] as const;

export const servingEvents = [
  ...nameEvents,
  ...endpointEvents,
  ...sealEvents,
] as const satisfies readonly EventDefinition[];

export type ServingEvent = EventOf<(typeof servingEvents)[number]>;
/** What stands on `<tenant>/endpoint-name:<name>`. */
export type EndpointNameEvent = EventOf<(typeof nameEvents)[number]>;
/** What stands on an endpoint's own stream, `<tenant>/endpoint:<id>`. */
export type EndpointEvent = EventOf<(typeof endpointEvents)[number]>;
export type EndpointSealEvent = EventOf<(typeof sealEvents)[number]>;
