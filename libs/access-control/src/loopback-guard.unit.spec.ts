import { LOOPBACK_HOSTS, refuseForeignOrigin, refuseForeignPages } from './loopback-guard';

const ask = (headers: Record<string, string>, target = '/api', method = 'GET') =>
  refuseForeignPages({ method, target, headers: { host: 'localhost:5050', ...headers } }, LOOPBACK_HOSTS);

describe('an open server', () => {
  it.each([
    ['a client that is no browser', {}],
    ['another of our names', { host: '127.0.0.1:5050' }],
    ['our name in capitals', { host: 'LocalHost' }],
    ['IPv6', { host: '[::1]:5050' }],
    ['our own page', { origin: 'http://localhost:5050', 'sec-fetch-site': 'same-origin' }],
    ['an address typed in', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
  ])('answers %s', (_name, headers) => {
    expect(() => ask(headers)).not.toThrow();
  });

  it.each([
    ['a name that points at us (DNS rebinding)', { host: 'evil.example' }],
    ['a name that begins like ours', { host: 'localhost.evil.example' }],
    ['no name', { host: '' }],
    ['another site’s page', { origin: 'https://evil.example' }],
    ['another port’s page', { origin: 'http://localhost:8080' }],
    ['a sandboxed page', { origin: 'null' }],
    ['an image of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a link of another site into the API', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ])('refuses %s', (_name, headers) => {
    expect(() => ask(headers)).toThrow(expect.objectContaining({ refusal: 'forbidden' }));
  });

  it('lets a link of another site lead to its page, but not a form', () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect(() => ask(link, '/')).not.toThrow();
    expect(() => ask(link, '/', 'POST')).toThrow();
  });
});

describe('what a browser sends by itself', () => {
  const ask = (headers: Record<string, string>) =>
    refuseForeignOrigin({ method: 'POST', target: '/api', headers: { host: 'mledger:5050', ...headers } }, [
      'ml.example',
    ]);

  it('is taken from our own page, also as a proxy shows it', () => {
    expect(() => ask({})).not.toThrow();
    expect(() => ask({ origin: 'http://mledger:5050' })).not.toThrow();
    expect(() => ask({ origin: 'https://ml.example' })).not.toThrow();
  });

  it.each(['https://evil.example', 'https://ml.example:8443', 'null', 'https://ml.example.evil.example'])(
    'is refused from %s',
    (origin) => {
      expect(() => ask({ origin })).toThrow(expect.objectContaining({ code: 'FOREIGN_ORIGIN' }));
    },
  );
});
