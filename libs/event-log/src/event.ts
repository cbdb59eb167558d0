/** A fact as a decider states it: a past-tense type and whole values. */
export interface NewEvent {
  readonly type: string;
  readonly data: object;
}

/** Who caused an event and why; the same for every event of one command. */
export interface EventMeta {
  readonly tenant: string;
  /** An opaque id, `user:…`, `key:…`, `pipeline:…`. */
  readonly actor: string;
  /** The event or request that led here. */
  readonly cause: string;
  /** One id through a whole loop, from drift to the retrained model's prediction. */
  readonly correlation: string;
  /** W3C trace context; not hashed, because it is about the process and not about the fact. */
  readonly traceparent?: string;
}

export interface RecordedAt {
  /** UUIDv5 of (service, stream, version): computed, never stored. */
  readonly id: string;
  readonly stream: string;
  /** 1, 2, 3 … without gaps in its stream. */
  readonly version: number;
  readonly schema: number;
  /** RFC 3339 in UTC with exactly three decimals; never decreasing in a stream. */
  readonly time: string;
}

/** An event as the log holds it. Distributes over a union, so `switch (event.type)` narrows `event.data`. */
export type Recorded<E extends NewEvent = NewEvent> = E extends NewEvent ? E & EventMeta & RecordedAt : never;

/** A recorded event with its place in the service's public order: 1, 2, 3 … without gaps. */
export type Sequenced<E extends NewEvent = NewEvent> = E extends NewEvent
  ? Recorded<E> & { readonly seq: number }
  : never;

/** What the log must know of each event type: its schema number today, and how older data becomes today's. */
export interface EventCatalog {
  readonly [type: string]: {
    readonly schema: number;
    /** `upcasters[n]` turns data of schema n into schema n + 1; pure. */
    readonly upcasters?: Readonly<Record<number, (data: never) => object>>;
  };
}
