import { Agent, request } from 'node:http';

/** Over connections that stay, as clients keep them. Throws for an answer that is no success. */
export class JsonClient {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(private readonly url: string) {}

  async post<Answer>(path: string, body: object): Promise<Answer> {
    return JSON.parse(await this.send('POST', path, JSON.stringify(body))) as Answer;
  }

  /** @param body JSON that was written before, so that the writing of it is not measured */
  send(method: string, path: string, body: string): Promise<string> {
    const { agent } = this;
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const sent = request(`${this.url}${path}`, { method, agent, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (answer.statusCode === 200) resolve(text);
          else reject(new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`));
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
