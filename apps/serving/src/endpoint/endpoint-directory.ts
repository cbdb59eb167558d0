import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { servingEvents, type EndpointEvent } from '@mledger/contracts';
import { EventLog, type Sequenced, type Subscription } from '@mledger/event-log';
import { ApiError, Lifecycle, Logger } from '@mledger/service-kit';
import { ModelLoader } from '../inference/model-loader';
import { endpointDecider, revisionOf, type Endpoint } from './endpoint';

const ENDPOINT_TYPES: ReadonlySet<string> = new Set(servingEvents.map(({ type }) => type));
const WAIT_MS_MAX = 5_000;

interface Entry {
  readonly tenant: string;
  readonly state: Endpoint;
  readonly version: number;
}

/**
 * Every endpoint as the log says it stands, in the memory of this replica: what a request needs without asking the database.
 * Each replica follows the log on its own and loads the models that its requests will want.
 */
@Injectable()
export class EndpointDirectory implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly byStream = new Map<string, Entry>();
  private readonly streamByName = new Map<string, string>();
  private readonly waiting = new Set<() => void>();
  private subscription: Subscription | undefined;
  private seenSeq = 0;
  /** Where the log ended when this replica came up: before it has read so far, it does not know what it serves. */
  private startSeq = Infinity;

  constructor(
    private readonly log: EventLog,
    private readonly models: ModelLoader,
    private readonly logger: Logger,
    lifecycle: Lifecycle,
  ) {
    lifecycle.addReadiness('endpoints', () => (this.caughtUp() ? undefined : 'the log is not read to its end yet'));
  }

  async onApplicationBootstrap(): Promise<void> {
    this.startSeq = await this.log.store.head();
    this.subscription = this.log.subscribe({
      afterSeq: 0,
      onEvents: async (events) => {
        for (const event of events) this.apply(event);
        this.seenSeq = events.at(-1)?.seq ?? this.seenSeq;
        this.prepareModels();
        for (const look of this.waiting) look();
      },
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.subscription?.stop();
  }

  /** @throws ApiError 404; 503 while this replica still reads what there is */
  get(tenant: string, name: string): Endpoint {
    const stream = this.streamByName.get(`${tenant}/${name}`);
    const entry = stream === undefined ? undefined : this.byStream.get(stream);
    this.refuseUntilCaughtUp();
    if (!entry?.state.exists) throw ApiError.notFound(`there is no endpoint ${name}`);
    return entry.state;
  }

  find(tenant: string): Endpoint[] {
    this.refuseUntilCaughtUp();
    const own = [...this.byStream.values()].filter((entry) => entry.tenant === tenant && entry.state.exists);
    return own.map(({ state }) => state).sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1));
  }

  /** Waits until this replica has seen a stream's version, so that who deployed can predict at once. */
  async waitFor(stream: string, version: number): Promise<void> {
    const seen = () => (this.byStream.get(stream)?.version ?? 0) >= version;
    if (seen()) return;
    await new Promise<void>((resolve, reject) => {
      const look = () => seen() && done(resolve);
      const timer = setTimeout(
        () => done(() => reject(ApiError.unavailable('the change is recorded, but not in effect yet: read again'))),
        WAIT_MS_MAX,
      );
      const done = (settle: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(look);
        settle();
      };
      this.waiting.add(look);
    });
  }

  private caughtUp(): boolean {
    return this.seenSeq >= this.startSeq;
  }

  private refuseUntilCaughtUp(): void {
    if (!this.caughtUp()) throw ApiError.unavailable('the endpoints are being read: try again in a moment');
  }

  private apply(event: Sequenced): void {
    if (!ENDPOINT_TYPES.has(event.type) || !event.stream.startsWith(`${event.tenant}/endpoint:`)) return;
    const known = this.byStream.get(event.stream);
    const state = endpointDecider.evolve(known?.state ?? endpointDecider.initial, event as Sequenced<EndpointEvent>);
    this.byStream.set(event.stream, { tenant: event.tenant, state, version: event.version });
    if (event.type === 'EndpointCreated') this.streamByName.set(`${event.tenant}/${state.endpoint}`, event.stream);
  }

  /** Loads what answers now, what shadows, and the revision that a roll-back would bring back; forgets the rest. */
  private prepareModels(): void {
    const wanted = [...this.byStream.values()].filter(({ state }) => state.exists).flatMap(({ state }) => {
      const numbers = [...state.shares.map(({ revision }) => revision), ...state.shadows];
      const named = numbers.flatMap((number) => revisionOf(state, number) ?? []);
      return [...named, ...state.revisions.slice(-2)].map(({ servedModel }) => servedModel);
    }); // prettier-ignore
    void this.models.keepOnly(new Set(wanted.map(({ sha256 }) => sha256)));
    for (const model of wanted) {
      this.models.ensure(model).catch((error: unknown) => {
        this.logger.error({ error, model: model.model, version: model.version }, 'a deployed model cannot be loaded');
      });
    }
  }
}
