import {
  eventsOf,
  eventTopic,
  PAYLOAD_EVENT_TYPE,
  PAYLOADS_TOPIC,
  predictionPayload,
  SERVICE_NAMES,
  type EventDefinition,
  type ServiceName,
} from '@mledger/contracts';
import { stringify } from 'yaml';
import { z } from 'zod';

/** The CloudEvents attributes as Kafka headers (binary mode): what every message carries beside its data. */
const HEADERS = {
  type: 'object',
  properties: {
    ce_specversion: { const: '1.0' },
    ce_id: { type: 'string', format: 'uuid', description: 'UUIDv5 of service, stream and version' },
    ce_source: { type: 'string', examples: ['/mledger/default/registry'] },
    ce_type: { type: 'string', examples: ['mledger.registry.AliasMoved'] },
    ce_subject: { type: 'string', description: 'the stream' },
    ce_partitionkey: { type: 'string', description: 'the stream' },
    ce_dataschema: { type: 'string', examples: ['urn:mledger:AliasMoved:1'] },
    ce_time: { type: 'string', format: 'date-time' },
    ce_tenant: { type: 'string' },
    ce_actor: { type: 'string' },
    ce_cause: { type: 'string' },
    ce_correlation: { type: 'string' },
    ce_streamversion: { type: 'string', description: '1, 2, 3 … without gaps in its stream' },
    ce_seq: { type: 'string', description: 'the place in the service’s public order' },
    ce_traceparent: { type: 'string' },
  },
};

/** The AsyncAPI 3.0 document of every topic and every event, made from the contracts. */
export function asyncApiDocument(): object {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'MLedger events',
      version: '1',
      description:
        'Every fact of MLedger, as CloudEvents 1.0 in the Kafka binding’s binary mode. The key of a message is its stream; order holds within a stream; delivery is at least once.',
    },
    channels: Object.fromEntries([...SERVICE_NAMES.map(channel), payloadChannel()]),
    operations: Object.fromEntries(
      [...SERVICE_NAMES, 'payloads'].map((name) => [
        `publish-${name}`,
        { action: 'send', channel: { $ref: `#/channels/${name}` } },
      ]),
    ),
    components: {
      messageTraits: { cloudEvent: { contentType: 'application/json', headers: HEADERS } },
    },
  };
}

/** The document as docs/asyncapi.yaml holds it. */
export function asyncApiYaml(): string {
  return stringify(asyncApiDocument(), { lineWidth: 120, aliasDuplicateObjects: false });
}

function channel(service: ServiceName): [string, object] {
  const messages = Object.fromEntries(eventsOf(service).map((event) => [event.type, message(event)]));
  return [service, { address: eventTopic(service), messages }];
}

function message({ service, type, schema, summary, data, example }: EventDefinition): object {
  return {
    name: `mledger.${service}.${type}`,
    summary,
    traits: [{ $ref: '#/components/messageTraits/cloudEvent' }],
    payload: { $id: `urn:mledger:${type}:${schema}`, ...jsonSchema(data) },
    examples: [{ payload: example }],
  };
}

function payloadChannel(): [string, object] {
  const prediction = {
    name: PAYLOAD_EVENT_TYPE,
    summary: 'One request to an endpoint and its answer.',
    traits: [{ $ref: '#/components/messageTraits/cloudEvent' }],
    payload: jsonSchema(predictionPayload),
  };
  return ['payloads', { address: PAYLOADS_TOPIC, messages: { Prediction: prediction } }];
}

function jsonSchema(data: z.ZodType): object {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(data, { unrepresentable: 'any', io: 'input' });
  return schema;
}
