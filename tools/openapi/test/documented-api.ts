import { ownerOfRequest, OWN_API_BASE, type ApiWords } from '@mledger/contracts';
import type { RunningService } from '@mledger/service-kit';
import type { AnyJson } from '@mledger/service-kit/testing';
import { documentedRoutes, wordsOf } from '../src/documented-routes';

export type Key = keyof ApiWords;

export interface Asked {
  /** In the place of the path's parameters, in their order. */
  readonly at?: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  /** In the place of the example. */
  readonly body?: unknown;
  readonly as?: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly requestId: string;
  readonly body: AnyJson;
}

/** Examples that show a part of the answer, as the whole would fill pages. */
const ABRIDGED: readonly Key[] = ['GET /explain', 'GET /events'];

/** Asks running services as the document says, and holds their answers against it. */
export class DocumentedApi {
  readonly asked = new Set<Key>();

  constructor(private readonly services: readonly RunningService[]) {}

  /** Asks for a documented route, by its example where it has a body. @throws where the answer is not as documented */
  async ask(key: Key, { at = [], query, body, as }: Asked = {}): Promise<AnyJson> {
    const words = wordsOf(documentedRoutes().find((route) => route.key === key)!);
    const answer = await this.send(this.target(key, at, query), {
      method: methodOf(key),
      as,
      json: body ?? words.bodyExample,
    });
    const status = words.status ?? 200;
    if (answer.status !== status)
      throw new Error(`${key} answered ${answer.status}, not ${status}: ${JSON.stringify(answer.body)}`);
    const { answerExample, contentType } = words;
    if (contentType !== undefined && !answer.type.startsWith(contentType))
      throw new Error(`${key} answered ${answer.type}`);
    const different = answerExample ? differences(answerExample, answer.body, ABRIDGED.includes(key)) : [];
    if (different.length > 0)
      throw new Error(`the example of ${key} differs from its answer in ${different.join(', ')}`);
    this.asked.add(key);
    return answer.body;
  }

  target(key: Key, at: readonly string[] = [], query: Readonly<Record<string, string>> = {}): string {
    const values = [...at];
    const path = key.slice(key.indexOf('/')).replaceAll(/\{\w+\}/g, () => encodeURIComponent(values.shift() ?? 'x'));
    const search = new URLSearchParams(query).toString();
    return `${OWN_API_BASE}${path}${search === '' ? '' : `?${search}`}`;
  }

  /** Any request, to the service that owns it. */
  async send(
    target: string,
    { method, as, json, bytes }: { method: string; as?: string; json?: unknown; bytes?: Buffer },
  ): Promise<Answer> {
    const owner = ownerOfRequest({ method, target, authorization: as });
    const { app } = this.services.find(({ name }) => name === owner)!;
    const type = bytes ? 'application/octet-stream' : 'application/json';
    const answer = await app.inject({
      method: method as 'GET',
      url: target,
      headers: {
        host: 'localhost',
        ...(as !== undefined && { authorization: as }),
        ...((bytes ?? json) !== undefined && { 'content-type': type }),
      },
      payload: bytes ?? (json === undefined ? undefined : JSON.stringify(json)),
    });
    const answered = String(answer.headers['content-type'] ?? '');
    const body = answered.includes('json') ? answer.json() : answer.body;
    return { status: answer.statusCode, type: answered, requestId: String(answer.headers['x-request-id']), body };
  }
}

export function methodOf(key: Key): string {
  return key.slice(0, key.indexOf(' '));
}

/** Where an answer is not of the kind that its example shows. What is null in one of them may be anything in the other. */
export function differences(example: unknown, answer: unknown, abridged: boolean, at = 'answer'): string[] {
  if (example === null || answer === null) return [];
  if (kindOf(example) !== kindOf(answer)) return [`${at} (${kindOf(answer)}, not ${kindOf(example)})`];
  if (Array.isArray(example)) {
    const [first, ofAnswer] = [example[0], (answer as unknown[])[0]] as const;
    return first === undefined || ofAnswer === undefined ? [] : differences(first, ofAnswer, abridged, `${at}[0]`);
  }
  if (typeof example !== 'object') return [];
  const [shown, given] = [example, answer] as [Record<string, unknown>, Record<string, unknown>];
  const missing = Object.keys(shown).filter((name) => !(name in given));
  const untold = abridged ? [] : Object.keys(given).filter((name) => !(name in shown));
  const within = Object.keys(shown).filter((name) => name in given);
  return [
    ...missing.map((name) => `${at}.${name} (missing)`),
    ...untold.map((name) => `${at}.${name} (untold)`),
    ...within.flatMap((name) => differences(shown[name], given[name], abridged, `${at}.${name}`)),
  ];
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}
