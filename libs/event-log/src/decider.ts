import type { NewEvent, Recorded } from './event';

/** What sort of no it is; each protocol's error form maps these to its own statuses and codes. */
export type RefusalKind =
  'invalid' | 'not-found' | 'exists' | 'conflict' | 'forbidden' | 'precondition' | 'too-large' | 'unprocessable';

export interface Refusal {
  readonly kind: RefusalKind;
  /** Upper snake case, stable: `VERSION_EXISTS`. */
  readonly code: string;
  /** For people; names what was refused and the next step. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export type Decision<E extends NewEvent> = { readonly events: readonly E[] } | { readonly refusal: Refusal };

/** The whole of an aggregate's behaviour, as data and two pure functions: no clock, no ids made, no I/O. */
export interface Decider<S, C, E extends NewEvent> {
  /** The stream kind: `model` in `acme/model:<id>`. */
  readonly kind: string;
  readonly initial: S;
  decide(state: S, command: C): Decision<E>;
  evolve(state: S, event: Recorded<E>): S;
}

/** Accepts a command with the events that follow from it; none when it changes nothing. */
export function accept<E extends NewEvent>(...events: E[]): Decision<E> {
  return { events };
}

export function refuse(
  kind: RefusalKind,
  code: string,
  message: string,
  details?: Record<string, unknown>,
): Decision<never> {
  return { refusal: { kind, code, message, ...(details && { details }) } };
}

/** Ends an exhaustive switch: a new event or command then fails to compile. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** Thrown at the edge of the log when a decider refused; error mappers read `refusal`. */
export class CommandRefused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
    this.name = 'CommandRefused';
  }
}

/** The version that a client named (If-Match) is not the stream's; never retried. */
export class VersionConflict extends Error {
  constructor(
    readonly stream: string,
    readonly expectedVersion: number,
    readonly actualVersion: number,
  ) {
    super(`stream ${stream} is at version ${actualVersion}, not ${expectedVersion}: read it again and decide anew`);
    this.name = 'VersionConflict';
  }
}
