import type { ApiWords } from '@mledger/contracts';
import {
  alertsQuery,
  labelsBody,
  monitorBody,
  monitorName,
  monitorsQuery,
  noQuery,
  windowsQuery,
} from './monitors.schemas';

const MONITOR = {
  name: 'delay',
  monitorId: '01a21f3f-5ffb-771c-9e0f-554b17cec0c5',
  revision: 1,
  mode: 'sound',
  endpoint: 'delay',
  features: [{ bins: null, kind: 'numeric', method: 'psi', feature: 'input_0', threshold: 0.2 }],
  driftShare: 0.2,
  performance: { metric: 'accuracy', output: null, atLeast: 0.65, labelledShare: 0.9 },
  windowRows: 20,
  reference: {
    from: 'commit',
    rows: 40,
    paths: ['flights/2013-01.parquet'],
    commit: 'c0ffee0000000000000000000000000000000000000000000000000000000000',
    repository: 'flights',
    sha256: '383eb05c688431b1f726dd021933c287b346984b70448eb4f56da2807c63718f',
  },
  gathering: { for: 'window', rows: 4, of: 20 },
  openAlerts: 1,
  definedAt: '2026-11-27T23:02:56.799Z',
  definedBy: 'user:local',
};

export const monitoringApi: ApiWords = {
  'GET /monitors': {
    summary: 'List the monitors of the tenant',
    description: 'By name; `next` is the `after` of the next page.',
    query: monitorsQuery,
    answerExample: { monitors: [MONITOR], next: null },
  },
  'GET /monitors/{name}': {
    summary: 'Get a monitor and how far its next window is',
    query: noQuery,
    answerExample: MONITOR,
  },
  'PUT /monitors/{name}': {
    summary: 'Define a monitor, or define it anew',
    description:
      'It gathers an endpoint’s predictions in windows of `windowRows` rows and compares each feature with the reference: columns of a commit’s data that are sent along (arrays of equal length of numbers, booleans, texts or nulls, each under its feature’s name), or the first rows that are served. A feature is an input of its name, or a column of the only input, in the order of this definition. Where no method or threshold is given, one that suits the feature is taken and told. A window whose share of drifted features reaches `driftShare` raises an alert; so does one whose `performance`, once enough of it is labelled, is below `atLeast`. Defined anew, the open window begins again; with another metric or output, windows whose labels have not come yet stay without `performance`.',
    params: { name: monitorName },
    body: monitorBody,
    bodyExample: {
      endpoint: 'delay',
      windowRows: 20,
      reference: {
        repository: 'flights',
        commit: 'c0ffee0000000000000000000000000000000000000000000000000000000000',
        paths: ['flights/2013-01.parquet'],
        columns: { distance: [200, 719, 1400, 1089], hour: [5, 9, 17, 21] },
      },
      features: [
        { feature: 'distance', kind: 'numeric', method: 'psi', threshold: 0.2, bins: 2 },
        { feature: 'hour', kind: 'numeric', method: 'psi', threshold: 0.2, bins: 2 },
      ],
      driftShare: 0.5,
      performance: { metric: 'accuracy', atLeast: 0.65 },
    },
    answerExample: MONITOR,
  },
  'DELETE /monitors/{name}': {
    summary: 'Delete a monitor',
    params: { name: monitorName },
    status: 204,
  },
  'GET /monitors/{name}/windows': {
    summary: 'List the windows that a monitor has judged',
    description:
      'The newest first; `next` is the `after` of the next page. `performance` is null until enough of the window is labelled.',
    query: windowsQuery,
    answerExample: {
      windows: [
        {
          mode: 'sound',
          window: {
            to: '01a21f3f-6859-744f-9729-e71638d24b20',
            from: '01a21f3f-66ad-735c-9e96-5d518d9ace80',
            rows: 20,
            number: 1,
            toTime: '2026-11-27T23:02:58.912Z',
            fromTime: '2026-11-27T23:02:58.505Z',
            windowId: '01a21f3f-68b9-734c-a7b3-cb21c69090b4',
          },
          drifted: true,
          monitor: 'delay',
          endpoint: 'delay',
          features: [
            {
              bins: null,
              kind: 'numeric',
              method: 'psi',
              pValue: null,
              drifted: true,
              feature: 'input_0',
              statistic: null,
              threshold: 0.2,
              meanCurrent: null,
              rowsCurrent: 0,
              meanReference: 2.875,
              rowsReference: 40,
              adjustedPValue: null,
            },
          ],
          revision: 1,
          monitorId: '01a21f3f-5ffb-771c-9e0f-554b17cec0c5',
          driftedShare: 1,
          meanPrediction: 410.5,
          evaluatedAt: '2026-11-27T23:02:59.027Z',
          performance: null,
        },
      ],
      next: null,
    },
  },
  'GET /monitors/{name}/alerts': {
    summary: 'List the alerts of a monitor',
    description: 'The newest first; `next` is the `after` of the next page.',
    query: alertsQuery,
    answerExample: {
      alerts: [
        {
          alertId: '01a21f3f-68ba-75bf-8a8d-500835ce5aeb',
          kind: 'drift',
          status: 'open',
          message: 'input_0 has no values',
          windowId: '01a21f3f-68b9-734c-a7b3-cb21c69090b4',
          windowNumber: 1,
          raisedAt: '2026-11-27T23:02:59.027Z',
          resolvedAt: null,
          resolution: null,
        },
      ],
      next: null,
    },
  },
  'POST /endpoints/{name}/labels': {
    summary: 'Tell what was right: ground truth for predictions',
    description:
      '`requestId` is the `x-request-id` of the prediction’s answer, `row` counts from 0. A window is judged once, as soon as enough of it is labelled: until then a second label for a row takes the first one’s place, and from then on labels of its rows change nothing. `tooLate` counts those that would have said something new. Labels may come before monitoring has seen their prediction: such requests are counted as unknown, the first hundred of them named, and their labels kept all the same, for 30 days. How many rows they have is not known yet, so a label for one that there is not is kept too, and never counts; of a prediction that has been seen it is a 400, and no label of the body is taken. `1`, `true` and their texts are the same answer, and so are `0` and `false`; an AUC takes the former for yes and all else for no. 404 where no monitor with `performance` watches the endpoint.',
    body: labelsBody,
    bodyExample: [{ requestId: '01a21f3f-689e-721d-9289-62807cd0ce67', row: 0, label: 1 }],
    answerExample: { received: 1, unknownRequests: 0, unknownRequestIds: [], tooLate: 0 },
  },
};
