import type { Consumer, Relay } from '@mledger/event-bus';
import type { EventLog } from '@mledger/event-log';
import { Gauge } from 'prom-client';
import type { Metrics } from './metrics';

/** How far the log, its relay and the service's consumers are. */
export function registerLogMetrics(
  metrics: Metrics,
  { log, relay, consumer }: { log: EventLog; relay: Relay; consumer: Consumer },
): void {
  metrics.gauge('mledger_log_head_seq', 'Greatest number of the public order', () => log.store.head());
  metrics.gauge('mledger_relay_lag_events', 'Events that wait to be published', () => relay.status().lag);
  const registers = [metrics.registry];
  new Gauge({
    name: 'mledger_consumer_lag_events',
    help: 'Messages not yet handled, by consumer, of the partitions that this replica holds',
    labelNames: ['consumer'],
    registers,
    collect() {
      this.reset();
      for (const { consumer: name, lag } of consumer.status()) if (lag !== undefined) this.set({ consumer: name }, lag);
    },
  });
  new Gauge({
    name: 'mledger_parked_events',
    help: 'Events that could not be handled and wait for an operator, by consumer',
    labelNames: ['consumer'],
    registers,
    async collect() {
      const counts = await consumer.parked.counts();
      this.reset();
      for (const [name, count] of counts) this.set({ consumer: name }, count);
    },
  });
}
