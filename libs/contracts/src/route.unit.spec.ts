import { apiOfPath, routeMatcher, type RouteRule } from './route';
import { matchRoute, ROUTES } from './routes';

const rule = (method: RouteRule['method'], path: string): RouteRule => ({
  service: 'registry',
  method,
  path,
  role: 'reader',
  api: 'mledger',
});

describe('route matching', () => {
  const match = routeMatcher([
    rule('GET', '/models/{name}'),
    rule('GET', '/models/search'),
    rule('PUT', '/artifacts/{path+}'),
    rule('GET', '/artifacts/{path+}'),
    rule('GET', '/artifacts'),
  ]);

  it('prefers a literal segment to a parameter', () => {
    expect(match('GET', '/models/search')?.path).toBe('/models/search');
    expect(match('GET', '/models/churn')?.path).toBe('/models/{name}');
  });

  it('gives a rest every segment, but not none', () => {
    expect(match('PUT', '/artifacts/a/b.txt')?.path).toBe('/artifacts/{path+}');
    expect(match('PUT', '/artifacts')).toBeUndefined();
    expect(match('PUT', '/artifacts/')).toBeUndefined();
  });

  it('answers HEAD where GET is listed, and nothing that is not listed', () => {
    expect(match('HEAD', '/models/churn')?.method).toBe('GET');
    expect(match('HEAD', '/artifacts/a/b.txt')?.method).toBe('GET');
    expect(match('DELETE', '/models/churn')).toBeUndefined();
    expect(match('GET', '/models/churn/versions')).toBeUndefined();
    expect(match('GET', '/models/')).toBeUndefined();
  });

  it('refuses a table that lists a route twice', () => {
    expect(() => routeMatcher([rule('GET', '/a/{b}'), rule('GET', '/a/{c}')])).toThrow('twice');
  });

  it('matches each route of the table to itself or to one with the same pattern', () => {
    for (const route of ROUTES) {
      const concrete = route.path.replace(/\{\w+\+\}/, 'x/y').replace(/\{\w+\}/g, 'x');
      expect(matchRoute(route.method, concrete)).toBe(route);
    }
  });

  it.each([
    ['/api/2.0/mlflow/runs/nope', 'mlflow'],
    ['/api/v1/nope', 'lakefs'],
    ['/v2/nope', 'oip'],
    ['/endpoints/churn/invocations', 'mlflow'],
    ['/api/mledger/v1/nope', 'mledger'],
    ['/nope', 'page'],
  ])('tells the refusal of %s in the form of %s', (path, api) => {
    expect(apiOfPath(path)).toBe(api);
  });
});
