import type { ApiWords } from '@mledger/contracts';
import {
  aliasQuery,
  approval,
  closing,
  historyQuery,
  policy,
  promotionRequest,
  promotionsQuery,
  rollback,
} from './promotions.schemas';

const POLICY = {
  model: 'delay',
  alias: 'champion',
  approvals: 1,
  gates: [{ atLeast: 0.6, metric: 'holdout_auc' }],
  pipelinesWithoutApproval: [],
};
const PENDING = {
  promotionId: '01a21f3f-5cbf-775b-a066-76f25bcf968b',
  model: 'delay',
  version: 1,
  alias: 'champion',
  status: 'pending',
  reason: 'better on May',
  requestedBy: 'user:local',
  requestedAt: '2026-11-27T23:02:55.962Z',
  approvalsNeeded: 1,
  approvals: [],
  gates: [
    {
      at: '2026-11-27T23:02:55.962Z',
      gate: { metric: 'holdout_auc', atLeast: 0.6 },
      passed: true,
      eventId: 'a48a100e-caf4-5a03-973c-bf5091b9f496',
      champion: null,
      observed: {
        step: 0,
        runId: '01a21f3f589d70e18cc83fee89e42c9b',
        value: 0.71,
        eventId: '945ffefb-4896-5acc-8dcc-2e9e736b624c',
        version: 1,
        timestampMs: 1795820574977,
      },
      threshold: 0.6,
      explanation: 'holdout_auc is 0.71, at least 0.6',
    },
  ],
  closedBy: null,
  closedAt: null,
  closingReason: '',
  correlation: '01a21f3f-5ca5-71ae-9bda-2d4e7b273fba',
};
const CLOSED = {
  ...PENDING,
  closedBy: 'user:01a21f3f-5579-715c-bd7e-fcb7ae7b45c6',
  closedAt: '2026-11-27T23:02:56.043Z',
};
const PROMOTED = {
  ...CLOSED,
  status: 'promoted',
  approvals: [
    { at: '2026-11-27T23:02:56.043Z', by: 'user:01a21f3f-5579-715c-bd7e-fcb7ae7b45c6', comment: 'looked at it' },
  ],
};

export const registryApi: ApiWords = {
  'GET /models/{name}/policy': {
    summary: 'Get the promotion policy of a model',
    description: '404 where the model has none.',
    answerExample: POLICY,
  },
  'PUT /models/{name}/policy': {
    summary: 'Set the promotion policy of a model',
    description:
      'From then on its alias moves by promotions and rollbacks alone: clients of MLflow that set it directly are refused. A gate holds a metric of the version’s run against a bound (`atLeast`, `atMost`), or against the metric of who holds the alias (`notWorseThanChampion`); one with several bounds is kept as several gates. `approvals` is how many others have to agree, `pipelinesWithoutApproval` whose requests need none.',
    body: policy,
    bodyExample: { alias: 'champion', gates: [{ metric: 'holdout_auc', atLeast: 0.6 }], approvals: 1 },
    answerExample: POLICY,
  },
  'DELETE /models/{name}/policy': {
    summary: 'Remove the promotion policy of a model',
    description: 'Its alias is then free for everybody who may write.',
    status: 204,
  },
  'GET /models/{name}/promotions': {
    summary: 'List the promotions of a model',
    description: 'The newest first; `next` is the `after` of the next page.',
    query: promotionsQuery,
    answerExample: { promotions: [PROMOTED], next: '01a21f3f-5cbf-775b-a066-76f25bcf968b' },
  },
  'POST /models/{name}/promotions': {
    summary: 'Ask that a version come to hold an alias',
    description:
      '201 whatever comes of it: the request is on record, and `status` says `promoted`, `pending` (approvals are needed) or `refused` (a gate was not passed; `gates` says which). A model without a policy has no gates and needs no approvals.',
    body: promotionRequest,
    bodyExample: { version: 1, alias: 'champion', reason: 'better on May' },
    status: 201,
    answerExample: PENDING,
  },
  'GET /promotions/{id}': {
    summary: 'Get a promotion, with every figure that decided it',
    answerExample: PROMOTED,
  },
  'POST /promotions/{id}/approve': {
    summary: 'Approve a promotion',
    description:
      'Not for who asked for it or made the version. With the last approval that is needed the gates are held against today’s metrics once more, and the alias moves.',
    body: approval,
    bodyExample: { comment: 'looked at it' },
    answerExample: PROMOTED,
  },
  'POST /promotions/{id}/reject': {
    summary: 'Reject a pending promotion',
    body: closing,
    bodyExample: { reason: 'not before the release' },
    answerExample: { ...CLOSED, status: 'rejected', closingReason: 'not before the release' },
  },
  'POST /promotions/{id}/withdraw': {
    summary: 'Withdraw one’s own pending promotion',
    body: closing,
    bodyExample: { reason: 'a mistake' },
    answerExample: { ...CLOSED, status: 'withdrawn', closingReason: 'a mistake' },
  },
  'POST /models/{name}/rollback': {
    summary: 'Give an alias back to an earlier holder',
    description:
      'To the one before the present, if `toVersion` is not given. A version that never held the alias can only be promoted: 412.',
    body: rollback,
    bodyExample: { alias: 'champion', reason: 'worse on June' },
    answerExample: {
      model: 'delay',
      alias: 'champion',
      fromVersion: 2,
      toVersion: 1,
      reason: 'worse on June',
      by: 'user:01a21f3f-5579-715c-bd7e-fcb7ae7b45c6',
      at: '2026-11-27T23:02:59.591Z',
    },
  },
  'GET /models/{name}/aliases/{alias}': {
    summary: 'Say who holds an alias, since when, by whom and why',
    description:
      '`asOf` asks about the past, the model’s name included: an RFC 3339 time, or `seq:<n>`, a place in the registry’s order of events. `version` is null where the alias was taken away, and `promotion` where it moved without one.',
    query: aliasQuery,
    answerExample: {
      ...{
        model: 'delay',
        alias: 'champion',
        version: 2,
        streamVersion: 16,
        fromVersion: 1,
        since: '2026-11-27T23:02:56.924Z',
        by: 'user:01a21f3f-5579-715c-bd7e-fcb7ae7b45c6',
        reason: 'better on May',
        eventId: '3655d434-15aa-58ad-9ebb-aee1592681ee',
        cause: 'request:01a21f3f-6066-70bf-8d10-06fc12ff991e',
        correlation: '01a21f3f-6066-70bf-8d10-06fc12ff991e',
        source: 'runs:/01a21f3f5ad27329a169330a0d20d728/model',
        runId: '01a21f3f5ad27329a169330a0d20d728',
        loggedModelId: null,
      },
      promotion: PROMOTED,
    },
  },
  'GET /models/{name}/aliases/{alias}/history': {
    summary: 'List everybody who held an alias',
    description: 'The newest first; `next` is the `after` of the next page.',
    query: historyQuery,
    answerExample: {
      model: 'delay',
      alias: 'champion',
      tenures: [
        {
          streamVersion: 16,
          version: 2,
          fromVersion: 1,
          since: '2026-11-27T23:02:56.924Z',
          by: 'user:01a21f3f-5579-715c-bd7e-fcb7ae7b45c6',
          reason: 'better on May',
          promotionId: '01a21f3f-603c-71cf-a99e-487d407b6c6e',
          eventId: '3655d434-15aa-58ad-9ebb-aee1592681ee',
          cause: 'request:01a21f3f-6066-70bf-8d10-06fc12ff991e',
          correlation: '01a21f3f-6066-70bf-8d10-06fc12ff991e',
          until: null,
        },
      ],
      next: '16',
    },
  },
};
