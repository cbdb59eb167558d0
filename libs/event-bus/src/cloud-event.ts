import type { Sequenced } from '@mledger/event-log';
import type { BusMessage } from './event-bus';

/** A message that is no CloudEvent of ours; trying again cannot help. */
export class MalformedCloudEvent extends Error {
  override readonly name = 'MalformedCloudEvent';
}

const TYPE = /^mledger\.([a-z-]+)\.([A-Za-z0-9]+)$/;
const DATA_SCHEMA = /^urn:mledger:([A-Za-z0-9]+):(\d+)$/;

/**
 * A log event as CloudEvents 1.0 in the Kafka binding's binary mode: attributes are `ce_` headers in UTF-8, the value
 * is the event's data alone (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md §3.2).
 */
export function toCloudEvent(service: string, event: Sequenced): BusMessage {
  return {
    key: event.stream,
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: event.id,
      ce_source: `/mledger/${event.tenant}/${service}`,
      ce_type: `mledger.${service}.${event.type}`,
      ce_subject: event.stream,
      ce_partitionkey: event.stream,
      ce_dataschema: `urn:mledger:${event.type}:${event.schema}`,
      ce_time: event.time,
      ce_tenant: event.tenant,
      ce_actor: event.actor,
      ce_cause: event.cause,
      ce_correlation: event.correlation,
      ce_streamversion: String(event.version),
      ce_seq: String(event.seq),
      ...(event.traceparent !== undefined && { ce_traceparent: event.traceparent }),
    },
    value: Buffer.from(JSON.stringify(event.data)),
  };
}

/** The inverse of `toCloudEvent`. @throws {MalformedCloudEvent} naming what is wrong */
export function fromCloudEvent(message: BusMessage): { service: string; event: Sequenced } {
  const header = (name: string): string => {
    const value = message.headers[`ce_${name}`];
    if (value === undefined) throw new MalformedCloudEvent(`the header ce_${name} is missing`);
    return value;
  };
  if (header('specversion') !== '1.0') {
    throw new MalformedCloudEvent(`ce_specversion is ${header('specversion')}, not 1.0`);
  }
  const [, service, type] = matched(TYPE, 'ce_type', header('type'));
  const [, schemaOf, schema] = matched(DATA_SCHEMA, 'ce_dataschema', header('dataschema'));
  if (schemaOf !== type)
    throw new MalformedCloudEvent(`ce_dataschema is that of ${schemaOf}, but the event is ${type}`);
  const stream = header('subject');
  const tenant = header('tenant');
  if (!stream.startsWith(`${tenant}/`)) {
    throw new MalformedCloudEvent(`stream ${stream} does not belong to tenant ${tenant}`);
  }
  const traceparent = message.headers['ce_traceparent'];
  const event: Sequenced = {
    id: header('id'),
    stream,
    version: positiveInteger('ce_streamversion', header('streamversion')),
    seq: positiveInteger('ce_seq', header('seq')),
    type: type!,
    schema: positiveInteger('ce_dataschema', schema!),
    time: header('time'),
    tenant,
    actor: header('actor'),
    cause: header('cause'),
    correlation: header('correlation'),
    ...(traceparent !== undefined && { traceparent }),
    data: jsonObject(message.value),
  };
  return { service: service!, event };
}

function matched(pattern: RegExp, header: string, value: string): RegExpExecArray {
  const match = pattern.exec(value);
  if (!match) throw new MalformedCloudEvent(`${header} is ${JSON.stringify(value)}, not of the form ${pattern.source}`);
  return match;
}

function positiveInteger(header: string, value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new MalformedCloudEvent(`${header} is ${JSON.stringify(value)}, not a positive integer`);
  }
  return number;
}

function jsonObject(value: Buffer): object {
  let data: unknown;
  try {
    data = JSON.parse(value.toString());
  } catch (error) {
    throw new MalformedCloudEvent(`the value is not JSON: ${(error as Error).message}`);
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new MalformedCloudEvent('the value is not a JSON object');
  }
  return data;
}
