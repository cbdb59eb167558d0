import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a backend saw of a request, as it stood on the wire. */
export interface Seen {
  readonly by: string;
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** A real HTTP server in a service's place: it tells whoever asks what it saw, or answers as the test says. */
export class Backend {
  /** Requests of which it has read the head. */
  readonly requests: IncomingMessage[] = [];

  private constructor(
    readonly name: string,
    private readonly server: Server,
  ) {}

  static async start(name: string, { answer, port = 0 }: { answer?: RequestListener; port?: number } = {}) {
    const server = createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => {
      backend.requests.push(request);
      if (answer && request.url !== '/health/ready') return answer(request, response);
      void readAll(request).then((body) => {
        const { method = '', url: target = '', rawHeaders } = request;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ by: name, method, target, rawHeaders, body } satisfies Seen));
      });
    });
    const backend = new Backend(name, server);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return backend;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

export async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
