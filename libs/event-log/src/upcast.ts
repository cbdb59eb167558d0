import type { EventCatalog } from './event';

/** A stored event that this version of the service cannot read; newer replicas may have written it. */
export class UnknownSchema extends Error {
  constructor(
    readonly type: string,
    readonly schema: number,
    message: string,
  ) {
    super(message);
    this.name = 'UnknownSchema';
  }
}

/**
 * Data as today's schema number has it: each upcaster from the stored number on, in turn.
 *
 * @throws UnknownSchema when the type is not in the catalog, is newer than it, or lacks an upcaster.
 */
export function upcast(
  catalog: EventCatalog,
  type: string,
  schema: number,
  data: object,
): { schema: number; data: object } {
  const entry = Object.hasOwn(catalog, type) ? catalog[type] : undefined;
  if (!entry) throw new UnknownSchema(type, schema, `the catalog does not know events of type ${type}`);
  if (schema === entry.schema) return { schema, data };
  if (schema > entry.schema) {
    throw new UnknownSchema(type, schema, `${type} has schema ${schema}; this service reads up to ${entry.schema}`);
  }
  let current = data;
  for (let number = schema; number < entry.schema; number += 1) {
    const upcaster = entry.upcasters?.[number];
    if (!upcaster) throw new UnknownSchema(type, schema, `${type} has no upcaster from schema ${number}`);
    current = upcaster(current as never);
  }
  return { schema: entry.schema, data: current };
}
