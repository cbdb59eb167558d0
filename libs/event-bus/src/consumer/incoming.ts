import { catalogOf, type ServiceName } from '@mledger/contracts';
import { type Sequenced, UnknownSchema, upcast } from '@mledger/event-log';
import { fromCloudEvent } from '../cloud-event';
import type { ReceivedMessage } from '../event-bus';
import { asError } from '../failure';
import type { Handler } from './handler';

/** A message as delivered; `event` where it is a readable one, upcast to the schema of today. */
export interface Incoming {
  readonly message: ReceivedMessage;
  readonly event?: Sequenced;
  /** Why there is no event in a message that should be one. */
  readonly malformed?: Error;
}

/** The event in a message, in the schema of today. @throws {UnknownSchema} for a wanted event of a newer release */
export function readEvent(handler: Handler, message: ReceivedMessage): Incoming {
  try {
    const { service, event } = fromCloudEvent(message);
    if (!handler.everyType && !handler.types.has(event.type)) return { message, event };
    const { schema, data } = upcast(catalogOf(service as ServiceName), event.type, event.schema, event.data);
    return { message, event: { ...event, schema, data } };
  } catch (error) {
    if (error instanceof UnknownSchema) throw error;
    return { message, malformed: asError(error) };
  }
}
