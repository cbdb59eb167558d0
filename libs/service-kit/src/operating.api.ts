import type { ApiWords } from '@mledger/contracts';
import { idParams, parkedQuery, verifyQuery } from './operating';

/** What every service answers for its operators; `{service}` is any of them. */
export const operatingApi: ApiWords = {
  'GET /services/{service}/verify': {
    summary: 'Verify a service’s log',
    description:
      'Recomputes every hash of the log and holds the chain against the signed checkpoints; `fault` names the first that does not hold. `checkpoint` is one that the caller kept, as JSON: the only proof against somebody who can rewrite the whole database. Counts, and faults of other tenants, are told to the admins of tenant `system` alone.',
    query: verifyQuery,
    answerExample: {
      service: 'registry',
      ok: true,
      verifiedSeq: 9,
      events: 9,
      checkpoints: 1,
      otherKeys: 0,
    },
  },
  'GET /services/{service}/parked': {
    summary: 'List events that could not be handled',
    description:
      'In the order in which they were parked; `next`, where there may be more, is the `after` of the next page.',
    query: parkedQuery,
    answerExample: { parked: [] },
  },
  'POST /services/{service}/parked/{id}/replay': {
    summary: 'Handle a parked event again, and those behind it in its stream',
    description: '`failed` is the one that failed again, if any: it and those behind it stay parked.',
    params: idParams.shape,
    status: 200,
    answerExample: { replayed: 3 },
  },
  'POST /services/{service}/parked/{id}/discard': {
    summary: 'Give a parked event up for good',
    description: 'Had it held up its stream, the events behind it are handled.',
    params: idParams.shape,
    status: 200,
    answerExample: { replayed: 2 },
  },
  'POST /services/{service}/projections/{name}/rebuild': {
    summary: 'Make a projection’s table anew from the log',
    description: 'For the admins of tenant `system`. The old table answers until the new one takes its place.',
    answerExample: { rebuilt: 'promotions' },
  },
};
