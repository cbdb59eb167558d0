import type { Consumer } from '@mledger/event-bus';

/** How current a service's read models of other services are, as far as this replica knows. */
export class ReadModelFeeds {
  private consumer: Pick<Consumer, 'status'> | undefined;

  /** The consumer comes last: it needs the application, whose providers ask here. */
  follow(consumer: Pick<Consumer, 'status'>): void {
    this.consumer = consumer;
  }

  /**
   * Whether events for a read model are known to be on their way, as while the replicas share its partitions out anew after
   * one of them was killed: what it lacks then may exist, and must not be called unknown.
   */
  isBehind(readModel: string): boolean {
    const feed = this.consumer?.status().find(({ consumer }) => consumer === readModel);
    return feed !== undefined && (feed.state !== 'running' || feed.lag !== 0);
  }
}
