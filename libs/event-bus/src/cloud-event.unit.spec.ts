import { fromCloudEvent, MalformedCloudEvent, toCloudEvent } from './cloud-event';
import type { BusMessage } from './event-bus';

const event = {
  id: '6f9f7c0e-31f0-5b52-9d5c-1b0a6c3e8d11',
  stream: 'acme/model:0192aa/β',
  version: 3,
  seq: 41,
  type: 'AliasMoved',
  schema: 2,
  time: '2026-11-23T08:00:00.120Z',
  tenant: 'acme',
  actor: 'key:AKIAJ1',
  cause: 'request 7',
  correlation: 'loop 1 – “drift”',
  data: { alias: 'champion', toVersion: 7, reason: 'naïve\u2028line', nested: { empty: {}, list: [1, -0.5, null] } },
};

describe('a log event as a CloudEvent', () => {
  it('has the attributes of the contract, as headers of the binary mode', () => {
    const message = toCloudEvent('registry', { ...event, traceparent: '00-aa-bb-01' });
    expect(message.key).toBe('acme/model:0192aa/β');
    expect(message.headers).toEqual({
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: event.id,
      ce_source: '/mledger/acme/registry',
      ce_type: 'mledger.registry.AliasMoved',
      ce_subject: event.stream,
      ce_partitionkey: event.stream,
      ce_dataschema: 'urn:mledger:AliasMoved:2',
      ce_time: '2026-11-23T08:00:00.120Z',
      ce_tenant: 'acme',
      ce_actor: 'key:AKIAJ1',
      ce_cause: 'request 7',
      ce_correlation: 'loop 1 – “drift”',
      ce_streamversion: '3',
      ce_seq: '41',
      ce_traceparent: '00-aa-bb-01',
    });
    expect(JSON.parse(message.value.toString())).toEqual(event.data);
  });

  it('comes back as it was, with and without a trace', () => {
    expect(fromCloudEvent(toCloudEvent('registry', event))).toEqual({ service: 'registry', event });
    const traced = { ...event, traceparent: '00-aa-bb-01' };
    expect(fromCloudEvent(toCloudEvent('registry', traced)).event).toEqual(traced);
  });

  it.each<[string, (message: BusMessage) => BusMessage, RegExp]>([
    ['no attributes', (m) => ({ ...m, headers: {} }), /ce_specversion is missing/],
    ['another version of the specification', (m) => withHeader(m, 'ce_specversion', '0.3'), /0\.3, not 1\.0/],
    ['a foreign type', (m) => withHeader(m, 'ce_type', 'com.example.Happened'), /ce_type is "com\.example\.Happened"/],
    [
      'a schema of another event',
      (m) => withHeader(m, 'ce_dataschema', 'urn:mledger:KeyIssued:1'),
      /KeyIssued, but .* AliasMoved/,
    ],
    ['a stream of another tenant', (m) => withHeader(m, 'ce_tenant', 'evil'), /does not belong to tenant evil/],
    ['a version that is no number', (m) => withHeader(m, 'ce_streamversion', '3x'), /ce_streamversion is "3x"/],
    ['a position of zero', (m) => withHeader(m, 'ce_seq', '0'), /ce_seq is "0"/],
    ['a value that is not JSON', (m) => ({ ...m, value: Buffer.from('{') }), /not JSON/],
    ['a value that is no object', (m) => ({ ...m, value: Buffer.from('[1]') }), /not a JSON object/],
    ['an empty value', (m) => ({ ...m, value: Buffer.alloc(0) }), /not JSON/],
  ])('refuses %s', (_, change, complaint) => {
    const message = change(toCloudEvent('registry', event));
    expect(() => fromCloudEvent(message)).toThrow(MalformedCloudEvent);
    expect(() => fromCloudEvent(message)).toThrow(complaint);
  });
});

function withHeader(message: BusMessage, name: string, value: string): BusMessage {
  return { ...message, headers: { ...message.headers, [name]: value } };
}
