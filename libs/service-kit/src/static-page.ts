import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const YEAR_SECONDS = 31_536_000;

/** Answers a request for the page or one of its assets, and says whether it did. */
export type StaticPage = (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Reads a built page (index.html and assets/) into memory once; a request then names an entry of a map and never a path on disk.
 *
 * @param folder what Vite built
 */
export function staticPage(folder: string): StaticPage {
  const files = readFiles(folder);
  return (path, request, response) => {
    const file = files.get(path);
    if (!file || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
    response.writeHead(200, {
      'content-type': file.contentType,
      'content-length': file.bytes.byteLength,
      'cache-control': path === '/' ? 'no-cache' : `public, max-age=${YEAR_SECONDS}, immutable`,
      'content-security-policy': "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    response.end(request.method === 'HEAD' ? undefined : file.bytes);
    return true;
  };
}

function readFiles(folder: string): Map<string, { contentType: string; bytes: Buffer }> {
  const files = new Map<string, { contentType: string; bytes: Buffer }>();
  const add = (path: string, name: string) => {
    const contentType = CONTENT_TYPES[extname(name)] ?? 'application/octet-stream';
    files.set(path, { contentType, bytes: readFileSync(join(folder, name)) });
  };
  add('/', 'index.html');
  for (const name of readdirSync(join(folder, 'assets'))) add(`/assets/${name}`, join('assets', name));
  return files;
}
