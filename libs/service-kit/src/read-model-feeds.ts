import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer } from '@mledger/event-bus';

/** A bus that takes longer to answer is as good as away. */
const ANSWER_MS_MAX = 2_000;

/** How current a service's read models of other services are. */
export class ReadModelFeeds {
  private consumer: Pick<Consumer, 'groupLag'> | undefined;

  /** The consumer comes last: it needs the application, whose providers ask here. */
  follow(consumer: Pick<Consumer, 'groupLag'>): void {
    this.consumer = consumer;
  }

  /**
   * Whether events for a read model are on their way, or may be, as between the death of a replica and the end of its session, when
   * nobody reads its partitions: what it lacks then may exist, and must not be called unknown.
   */
  async isBehind(readModel: string): Promise<boolean> {
    const lag = this.consumer?.groupLag(readModel).catch(() => undefined);
    return (await Promise.race([lag, delay(ANSWER_MS_MAX, undefined, { ref: false })])) !== 0;
  }
}
