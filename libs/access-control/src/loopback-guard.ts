import { forbidden } from './access-refused';
import { header, splitTarget, type WireRequest } from './aws-request';

/** Names under which a loopback server is reached, whatever the port. */
export const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]'] as const;

/**
 * In open mode whoever reaches the port is trusted, so what a browser brings along on behalf of a strange page is
 * refused: a Host that is not ours (DNS rebinding), an Origin other than our own (`null` too), and cross-site requests other than
 * somebody following a link to the page itself.
 *
 * @throws AccessRefused forbidden, naming what to change
 */
export function refuseForeignPages(request: WireRequest, allowedHosts: readonly string[]): void {
  const host = header(request, 'host') ?? '';
  if (!hostAllowed(host, allowedHosts))
    throw forbidden('FOREIGN_HOST', `host "${host}" is not in MLEDGER_ALLOWED_HOSTS`);
  refuseForeignOrigin(request, []);
}

/**
 * The part that also guards what a browser sends by itself, cookies and remembered passwords. There is no CORS, so
 * no page but our own has business here.
 *
 * @param alsoOurs authorities under which a proxy shows us to browsers, where that is not the Host we see
 */
export function refuseForeignOrigin(request: WireRequest, alsoOurs: readonly string[]): void {
  const origin = header(request, 'origin');
  if (origin !== undefined) {
    const authority = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
    const host = header(request, 'host')?.toLowerCase();
    if (authority === undefined || (authority !== host && !alsoOurs.includes(authority)))
      throw forbidden('FOREIGN_ORIGIN', `pages of origin "${origin}" may not call this server`);
  }
  const navigation = header(request, 'sec-fetch-mode') === 'navigate' && splitTarget(request.target).path === '/';
  if (header(request, 'sec-fetch-site') === 'cross-site' && !(navigation && request.method === 'GET'))
    throw forbidden('CROSS_SITE', 'requests that another site’s page makes are refused');
}

function hostAllowed(host: string, allowedHosts: readonly string[]): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  return allowedHosts.some((allowed) => allowed === name || allowed === host.toLowerCase());
}
