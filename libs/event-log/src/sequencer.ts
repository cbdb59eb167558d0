import { BackgroundLoop, type TurnResult } from './background-loop';
import { lockKey } from './ids';
import { appendedTopic, sequencedTopic, type LogCore } from './log-core';

const BATCH_EVENTS_MAX = 5_000;
const POLL_MS = 1_000;
/** Under load each turn then numbers what came in meanwhile, for one fsync. */
const INTERVAL_MS_MIN = 20;

/** Gives committed events their place in the public order; any number of replicas may run one. See sequence_events in schema.sql.ts. */
export class Sequencer {
  private readonly loop: BackgroundLoop;
  private readonly stopListening: () => void;
  private readonly lock: string;
  private head = 0;

  constructor(private readonly core: LogCore) {
    this.lock = String(lockKey(core.service, 'sequencer', ''));
    this.loop = new BackgroundLoop({
      turn: () => this.turn(),
      onError: (error) => core.onError(error, 'sequencer'),
      pollMs: POLL_MS,
      intervalMsMin: INTERVAL_MS_MIN,
    });
    this.stopListening = core.bell.on(appendedTopic(core.service), () => this.loop.wake());
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    this.stopListening();
    await this.loop.stop();
  }

  private async turn(): Promise<TurnResult> {
    const { rows } = await this.core.background.query<{ numbered: number; head: number }>({
      name: 'mledger_sequence',
      text: 'select numbered, head from sequence_events($1, $2)',
      values: [this.lock, BATCH_EVENTS_MAX],
    });
    const { numbered, head } = rows[0]!;
    const topic = sequencedTopic(this.core.service);
    if (numbered > 0) this.core.bell.ring(topic);
    // Numbered by another replica, whose ring may have been lost.
    else if (head > this.head) this.core.bell.wake(topic);
    this.head = head;
    return numbered === BATCH_EVENTS_MAX ? 'more' : 'idle';
  }
}
