import { SERVICE_NAMES, type ServiceName } from '@mledger/contracts';
import { ConfigError } from '@mledger/service-kit';
import { Upstreams } from './upstreams';

type Urls = Readonly<Record<ServiceName, readonly string[]>>;

function urls(given: Partial<Urls> = {}): Urls {
  const each = SERVICE_NAMES.map((name, index) => [name, given[name] ?? [`http://127.0.0.1:${6000 + index}`]] as const);
  return Object.fromEntries<readonly string[]>(each) as Urls;
}

describe('the upstreams', () => {
  it('begin with the next replica at each request, and name the others after it', () => {
    const upstreams = new Upstreams(urls({ serving: ['http://a:1', 'http://b:2', 'http://c:3'] }));
    const hosts = () => upstreams.inTurn('serving').map(({ host }) => host);
    expect([hosts(), hosts(), hosts(), hosts()]).toEqual([
      ['a:1', 'b:2', 'c:3'],
      ['b:2', 'c:3', 'a:1'],
      ['c:3', 'a:1', 'b:2'],
      ['a:1', 'b:2', 'c:3'],
    ]);
  });

  it('count the turns of each service by itself', () => {
    const upstreams = new Upstreams(
      urls({ serving: ['http://a:1', 'http://b:2'], registry: ['http://c:1', 'http://d:2'] }),
    );
    upstreams.inTurn('serving');
    expect(upstreams.inTurn('registry')[0]!.host).toBe('c:1');
  });

  it('name every variable that is missing, at once', () => {
    expect(() => new Upstreams(urls({ serving: [], access: [] }))).toThrow(ConfigError);
    expect(() => new Upstreams(urls({ serving: [], access: [] }))).toThrow(
      /MLEDGER_ACCESS_URL[\s\S]*MLEDGER_SERVING_URL/,
    );
  });
});
