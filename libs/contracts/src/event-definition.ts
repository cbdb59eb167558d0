import { z } from 'zod';
import type { ServiceName } from './service-name';

/** One event type: its owner, the schema number of today, the shape of its data, and an example that documents and tests it. */
export interface EventDefinition<T extends string = string, D extends z.ZodObject = z.ZodObject> {
  readonly service: ServiceName;
  readonly type: T;
  readonly schema: number;
  /** One sentence for the reader of docs/asyncapi.yaml. */
  readonly summary: string;
  readonly data: D;
  readonly example: z.input<D>;
  /** `upcasters[n]` turns data of schema n into schema n + 1; pure. */
  readonly upcasters?: Readonly<Record<number, (data: never) => object>>;
}

/** Declares an event; an example that does not fit its own schema fails at import. */
export function defineEvent<const T extends string, D extends z.ZodObject>(
  definition: EventDefinition<T, D>,
): EventDefinition<T, D> {
  definition.data.parse(definition.example);
  return definition;
}

/** `{ type, data }` of one definition, or the union over an array of definitions: what deciders speak. */
export type EventOf<Definition> =
  Definition extends EventDefinition<infer T, infer D> ? { readonly type: T; readonly data: z.output<D> } : never;
