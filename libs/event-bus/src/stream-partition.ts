import { EVENT_TOPIC_PARTITIONS } from '@mledger/contracts';

/**
 * The partition number of the in-process transport, which has no partitions. No Kafka partition has it, so the
 * positions of the two transports are never taken for each other when an installation changes from one to the other.
 */
export const IN_PROCESS_PARTITION = -1;

/** The partition in which Kafka's default partitioner puts a key: `toPositive(murmur2(key)) % 16`. */
export function streamPartition(stream: string): number {
  return (murmur2(Buffer.from(stream)) & 0x7fffffff) % EVENT_TOPIC_PARTITIONS;
}

/** The 32-bit murmur2 of org.apache.kafka.common.utils.Utils, seed and all. */
function murmur2(data: Buffer): number {
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ data.length;
  const wholeWords = data.length & ~3;
  for (let i = 0; i < wholeWords; i += 4) {
    let k = Math.imul(data.readInt32LE(i), m);
    k = Math.imul(k ^ (k >>> 24), m);
    h = Math.imul(h, m) ^ k;
  }
  const tail = data.subarray(wholeWords);
  if (tail.length > 0) {
    h = Math.imul(h ^ tail.readUIntLE(0, tail.length), m);
  }
  h = Math.imul(h ^ (h >>> 13), m);
  return h ^ (h >>> 15);
}
