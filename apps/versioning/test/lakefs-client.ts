import type { Role } from '@mledger/contracts';
import {
  type AnyJson,
  eventually,
  startTestService,
  type TestKey,
  type TestService,
} from '@mledger/service-kit/testing';
import { versioningService } from '../src/versioning.definition';

interface Asked {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** What tests look at of an answer; `json` is whatever it is. */
interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly json: AnyJson;
}

/** The service under test, asked in lakeFS' API. */
export class LakefsClient {
  private repositories = 0;
  /** Sent with every call that names no other. */
  authorization: string | undefined;

  private constructor(readonly service: TestService) {}

  static async start(env: Record<string, string> = {}): Promise<LakefsClient> {
    return new LakefsClient(await startTestService(versioningService, { env }));
  }

  stop(): Promise<void> {
    return this.service.stop();
  }

  /** A key of a new user, once the service has heard of it. */
  async issueKey(of: { tenant?: string; roles: Role[] }): Promise<TestKey> {
    const issued = await this.service.access!.issueKey(of);
    await eventually(async () => {
      const { status } = await this.call('GET', '', { headers: { authorization: issued.authorization } });
      if (status !== 200) throw new Error(`the key is answered with ${status}`);
    });
    return issued;
  }

  /** @param url below `/api/v1/repositories` */
  async call(method: Method, url: string, { body, headers }: Asked = {}): Promise<Answer> {
    const isBytes = typeof body === 'string' || Buffer.isBuffer(body);
    const type = body === undefined ? {} : { 'content-type': isBytes ? 'text/csv' : 'application/json' };
    const answer = await this.service.inject({
      method,
      url: `/api/v1/repositories${url}`,
      headers: { ...(this.authorization && { authorization: this.authorization }), ...type, ...headers },
      payload: isBytes || body === undefined ? body : JSON.stringify(body),
    });
    const isJson = method !== 'HEAD' && String(answer.headers['content-type']).includes('json');
    const json: unknown = isJson ? answer.json() : undefined;
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, json };
  }

  /** @returns its path below `/api/v1/repositories` */
  async newRepository(more: object = {}): Promise<string> {
    this.repositories += 1;
    const name = `repo-${this.repositories}`;
    const created = await this.call('POST', '', { body: { name, storage_namespace: `local://${name}`, ...more } });
    expect(created.status).toBe(201);
    return `/${name}`;
  }

  put(repository: string, path: string, bytes: string, branch = 'main'): Promise<Answer> {
    const url = `${repository}/branches/${branch}/objects?path=${encodeURIComponent(path)}`;
    return this.call('POST', url, { body: bytes });
  }

  remove(repository: string, path: string, branch = 'main'): Promise<Answer> {
    return this.call('DELETE', `${repository}/branches/${branch}/objects?path=${encodeURIComponent(path)}`);
  }

  commit(repository: string, message: string, { branch = 'main', ...more }: Record<string, unknown> = {}) {
    return this.call('POST', `${repository}/branches/${String(branch)}/commits`, { body: { message, ...more } });
  }

  /** Puts and commits. @returns the commit's id */
  async commitFiles(repository: string, files: Record<string, string | null>, branch = 'main'): Promise<string> {
    for (const [path, bytes] of Object.entries(files)) {
      if (bytes === null) await this.remove(repository, path, branch);
      else await this.put(repository, path, bytes, branch);
    }
    const made = await this.commit(repository, `files ${Object.keys(files).join(' ')}`, { branch });
    expect(made.status).toBe(201);
    return made.json.id;
  }

  read(repository: string, ref: string, path: string): Promise<Answer> {
    const url = `${repository}/refs/${encodeURIComponent(ref)}/objects?path=${encodeURIComponent(path)}`;
    return this.call('GET', url);
  }

  async paths(repository: string, ref: string, query = ''): Promise<string[]> {
    const { json } = await this.call('GET', `${repository}/refs/${encodeURIComponent(ref)}/objects/ls?${query}`);
    return json.results.map(({ path }: { path: string }) => path);
  }

  /** Every path with its bytes. */
  async contents(repository: string, ref: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const path of await this.paths(repository, ref)) found[path] = (await this.read(repository, ref, path)).text;
    return found;
  }

  branchOff(repository: string, name: string, source = 'main'): Promise<Answer> {
    return this.call('POST', `${repository}/branches`, { body: { name, source } });
  }

  merge(repository: string, source: string, destination: string, body: object = {}): Promise<Answer> {
    return this.call('POST', `${repository}/refs/${encodeURIComponent(source)}/merge/${destination}`, { body });
  }
}
