import { EVENT_TOPIC_PARTITIONS } from '@mledger/contracts';
import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { streamPartition } from './stream-partition';

describe('the partition of a stream', () => {
  it('is the one that the Kafka client chooses', () => {
    const partitionMetadata = Array.from({ length: EVENT_TOPIC_PARTITIONS }, (_, partitionId) => ({
      partitionErrorCode: 0,
      partitionId,
      leader: 1,
      replicas: [1],
      isr: [1],
    }));
    const choose = Partitioners.DefaultPartitioner();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), (key) => {
        const message = { key, value: null };
        expect(streamPartition(key)).toBe(choose({ topic: 't', partitionMetadata, message }));
      }),
      { numRuns: 2_000 },
    );
  });
});
