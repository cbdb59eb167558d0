import type { z } from 'zod';
import type { RouteRule } from './route';

/** Where our own API begins; the keys of `ApiWords` go on from here. */
export const OWN_API_BASE = '/api/mledger/v1';

/** What the table of routes does not say of a route of our own API. It stands beside its controller, and openapi.json is made of it. */
export interface RouteWords {
  /** One line: what it does. */
  readonly summary: string;
  /** What a caller would not guess. */
  readonly description?: string;
  /** By the parameter's name in the path, where the controller holds it to a form. */
  readonly params?: Readonly<Record<string, z.ZodType>>;
  /** The very schema that the controller reads the query with; so too of the body. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly bodyExample?: unknown;
  /** Of success: 200 where nothing is said. */
  readonly status?: 200 | 201 | 204;
  /** An answer as it was once given; absent where there is none, or it is no JSON. A test holds it against what is answered today. */
  readonly answerExample?: object;
  /** Of an answer that is no JSON. */
  readonly contentType?: string;
}

/** By `METHOD /path`. */
export type ApiWords = Readonly<Record<`${RouteRule['method']} /${string}`, RouteWords>>;
