import { describeWith } from '@mledger/infra/jest';
import { busSuite } from './bus.suite';
import { consumerSuite } from './consumer.suite';
import { kafkaSuite } from './kafka.suite';
import { readModelSuite } from './read-model.suite';
import { inProcessTransport, kafkaTransport, type Transport } from './transports';

/** Everything that a service relies on, once for each transport. */
function suite(transport: Transport, more: (transport: Transport) => void = () => undefined): void {
  beforeAll(() => transport.start(), 120_000);
  afterAll(() => transport.stop(), 30_000);

  describe('topics', () => busSuite(transport));
  describe('consumers', () => consumerSuite(transport));
  describe('read models', () => readModelSuite(transport));
  more(transport);
}

describe('the event bus in process', () => suite(inProcessTransport()));
describeWith(['kafka'], 'the event bus on Kafka', () =>
  suite(kafkaTransport(), (transport) => describe('topics apart from logs', () => kafkaSuite(transport))),
);
