import type { ApiWords } from '@mledger/contracts';
import { endpointBody, endpointName, rollbackBody, shadowsBody, trafficBody } from './endpoints.schemas';

const ENDPOINT = {
  name: 'delay',
  endpointId: '01a21f3f-5d82-73a9-9e82-961aaf864e5b',
  model: 'models:/delay@champion',
  ready: true,
  shares: [{ revision: 2, percent: 100 }],
  shadows: [],
  revisions: [
    {
      revision: 1,
      model: 'models:/delay/1',
      sha256: 'a524dc13ddadb6ce844ec91d2e6ffbb8faec442e2825f02e5bd962f91dd17ec8',
      runId: '01a21f3f589d70e18cc83fee89e42c9b',
    },
    {
      revision: 2,
      model: 'models:/delay/2',
      sha256: 'a524dc13ddadb6ce844ec91d2e6ffbb8faec442e2825f02e5bd962f91dd17ec8',
      runId: '01a21f3f5ad27329a169330a0d20d728',
    },
  ],
};

const SHARED = {
  ...ENDPOINT,
  shares: [
    { percent: 90, revision: 1 },
    { percent: 10, revision: 2 },
  ],
};

export const servingApi: ApiWords = {
  'GET /endpoints': {
    summary: 'List the endpoints of the tenant',
    answerExample: { endpoints: [ENDPOINT] },
  },
  'GET /endpoints/{name}': {
    summary: 'Get an endpoint: what it follows, its revisions, and which of them answer',
    answerExample: ENDPOINT,
  },
  'PUT /endpoints/{name}': {
    summary: 'Create an endpoint, or let it follow another model',
    description:
      'It follows an alias, `models:/<name>@<alias>`, and each version that comes to hold that is deployed; or it stays at one version, `models:/<name>/<version>`. Predictions are asked for under the endpoint’s name: `POST /v2/models/{name}/infer` (Open Inference Protocol) or `POST /endpoints/{name}/invocations` (MLflow). While nobody holds the alias, `ready` is false. A version that is no ONNX model is refused with 422.',
    params: { name: endpointName },
    body: endpointBody,
    bodyExample: { model: 'models:/delay@champion' },
    answerExample: ENDPOINT,
  },
  'DELETE /endpoints/{name}': {
    summary: 'Delete an endpoint',
    status: 204,
  },
  'POST /endpoints/{name}/rollback': {
    summary: 'Let an earlier revision answer everything',
    description: 'The one before those that answer now, if `toRevision` is not given.',
    body: rollbackBody,
    bodyExample: { toRevision: 1, reason: 'too slow' },
    answerExample: ENDPOINT,
  },
  'POST /endpoints/{name}/traffic': {
    summary: 'Share the traffic out among revisions',
    description: 'The shares add up to 100 percent.',
    body: trafficBody,
    bodyExample: {
      shares: [
        { revision: 1, percent: 90 },
        { revision: 2, percent: 10 },
      ],
      reason: 'a tenth first',
    },
    answerExample: SHARED,
  },
  'POST /endpoints/{name}/shadows': {
    summary: 'Attach or detach a shadow',
    description: 'A shadow is a revision that is asked everything too; its answers are recorded and given to nobody.',
    body: shadowsBody,
    bodyExample: { revision: 2, attached: true },
    answerExample: { ...SHARED, shadows: [2] },
  },
};
