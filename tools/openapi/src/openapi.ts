import { OWN_API_BASE, SERVICE_NAMES, type RouteRole, type RouteWords } from '@mledger/contracts';
import { z } from 'zod';
import { documentedRoutes, wordsOf, type DocumentedRoute } from './documented-routes';

const DESCRIPTION = `What MLedger adds to the protocols it speaks: promotions, endpoints, monitors, pipelines, the ledger, and who may do what. \
MLflow's, lakeFS's, S3's and the Open Inference Protocol's clients find theirs at the same address, as their own documents describe them.

- Bodies are JSON, and so are answers. Errors are RFC 9457 problem details; \`code\` is stable, and \`requestId\`, also in the header \`x-request-id\`, finds the request in the logs and in the ledger.
- A list has \`limit\` and \`after\`; \`next\`, if it is there and not null, is the \`after\` of the next page.
- A write may bear an \`Idempotency-Key\`: sent again within seven days it is answered as the first time and changes nothing. It may also bear \`If-Match: "<n>"\`, the version of the stream that it writes to as the events in the ledger tell it: 412 if that has moved on.
- An open server (\`npm start\` on a loopback address) takes whoever comes without credentials for an admin of tenant \`default\`.`;

const TAGS: Readonly<Record<string, string>> = {
  registry: 'How a model’s version comes to hold an alias, and who held it when',
  serving: 'What serves which model, and who answers',
  monitoring: 'What is watched against which reference, and what came of it',
  pipelines: 'What is run, and when',
  ledger: 'Every event of every service, and what follows from them',
  access: 'Tenants, users, roles and keys',
  versioning: 'Objects by signed URLs; all else is lakeFS’s API and S3',
  operating: 'What each service answers for its operators',
};

/** As service-kit tells an error of our own API. */
const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId'],
  properties: {
    type: { type: 'string', examples: ['urn:mledger:problem:not-found'] },
    title: { type: 'string', examples: ['Not Found'] },
    status: { type: 'integer', examples: [404] },
    detail: { type: 'string', examples: ['there is no monitor delay'] },
    instance: {
      type: 'string',
      description: 'the path that was asked for',
      examples: ['/api/mledger/v1/monitors/delay'],
    },
    code: { type: 'string', description: 'what to tell cases apart by', examples: ['NOT_FOUND'] },
    requestId: { type: 'string', format: 'uuid' },
    details: {
      type: 'object',
      description: 'more about some codes; of INVALID, the `fields` at fault and what each must be',
    },
  },
};

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
};

/** The OpenAPI 3.1 document of our own API, made of the table of routes and of what stands beside the controllers. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of documentedRoutes())
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, wordsOf(route));
  return {
    openapi: '3.1.0',
    info: {
      title: 'MLedger',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: OWN_API_BASE }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      responses: {
        Problem: {
          description: 'A refusal, or a failure',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      parameters: { IdempotencyKey: IDEMPOTENCY_KEY },
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic', description: 'access key id and secret' },
        bearer: { type: 'http', scheme: 'bearer', description: '`<access key id>.<secret>`, or a token of ours' },
      },
    },
  };
}

/** The document as it is stored and served. */
export function openApiJson(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`;
}

function operation(route: DocumentedRoute, words: RouteWords): object {
  const { method, path, role, tag } = route;
  return {
    operationId:
      method.toLowerCase() +
      path
        .split(/[^A-Za-z]/)
        .map(capitalised)
        .join(''),
    tags: [tag],
    summary: words.summary,
    description: [words.description, needed(role)].filter((text) => text !== undefined).join(' '),
    'x-mledger-role': role,
    security:
      role === 'public' ? [] : ['basic', 'bearer'].map((scheme) => ({ [scheme]: role === 'any' ? [] : [role] })),
    parameters: [...pathParameters(path, words), ...queryParameters(words), ...headerParameters(route)],
    ...requestBody(route, words),
    responses: { [words.status ?? 200]: answer(words), default: { $ref: '#/components/responses/Problem' } },
  };
}

function needed(role: RouteRole): string {
  if (role === 'public') return 'Needs no credentials.';
  if (role === 'any') return 'For everybody with credentials.';
  return role === 'admin' ? 'Needs the role admin.' : `Needs the role ${role}, or one that includes it.`;
}

function pathParameters(path: string, { params }: RouteWords): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    ...{ name, in: 'path', required: true },
    schema: name === 'service' ? { enum: SERVICE_NAMES } : jsonSchema(params?.[name] ?? z.string()),
  }));
}

function queryParameters({ query }: RouteWords): object[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    ...{ name, in: 'query', required: isNeeded(schema as z.ZodType) },
    schema: jsonSchema(schema as z.ZodType),
  }));
}

/** What operators do is no event, and a signed URL has no caller whose key it could be. */
function headerParameters({ method, role, tag }: DocumentedRoute): object[] {
  const isWrite = method !== 'GET' && method !== 'HEAD';
  return isWrite && role !== 'public' && tag !== 'operating'
    ? [{ $ref: '#/components/parameters/IdempotencyKey' }]
    : [];
}

function requestBody({ body: raw }: DocumentedRoute, { body, bodyExample }: RouteWords): object {
  if (raw === 'stream') return { requestBody: { content: { 'application/octet-stream': {} } } };
  if (!body) return {};
  const content = { schema: jsonSchema(body), example: bodyExample };
  return { requestBody: { required: isNeeded(body), content: { 'application/json': content } } };
}

function answer({ answerExample, contentType, status }: RouteWords): object {
  if (contentType !== undefined) return { description: 'As asked for', content: { [contentType]: {} } };
  if (!answerExample) return { description: status === 204 ? 'Done' : 'As asked for' };
  const content = { schema: { type: 'object' }, example: answerExample };
  return { description: 'Answered as in the example', content: { 'application/json': content } };
}

/** A schema that takes nothing at all has a default. */
function isNeeded(schema: z.ZodType): boolean {
  return !schema.safeParse(undefined).success;
}

function jsonSchema(schema: z.ZodType): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' });
  return rest;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
