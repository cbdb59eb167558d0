import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { documentedRoutes, WORDS, wordsOf } from './documented-routes';
import { openApiDocument, openApiJson } from './openapi';
import { OPENAPI_FILE } from './openapi-file';

const routes = documentedRoutes();
const withBody = routes.filter((route) => wordsOf(route).body);

describe('openapi.json', () => {
  it('is what the table of routes and the api.ts beside the controllers say; else run `npm run contracts`', () => {
    expect(readFileSync(OPENAPI_FILE, 'utf8')).toBe(openApiJson());
  });

  it('is a valid OpenAPI document', async () => {
    const validator = new Validator();
    expect(await validator.validate(JSON.parse(openApiJson()))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('describes every route of our own API, and none that is not there', () => {
    expect(Object.keys(WORDS).sort()).toEqual(routes.map(({ key }) => key).sort());
  });

  it('names each operation once', () => {
    const { paths } = openApiDocument() as { paths: Record<string, Record<string, { operationId: string }>> };
    const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(routes.length);
  });

  it('says of no parameter that is not in the path', () => {
    const strays = routes.flatMap((route) =>
      Object.keys(wordsOf(route).params ?? {}).filter((name) => !route.path.includes(`{${name}}`)),
    );
    expect(strays).toEqual([]);
  });

  it.each(withBody.map((route) => [route.key, wordsOf(route)] as const))(
    'has an example of the body of %s that its controller reads',
    (_key, { body, bodyExample }) => {
      expect(body!.safeParse(bodyExample).error).toBeUndefined();
    },
  );
});
