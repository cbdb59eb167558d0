import { CommandRefused, type RefusalKind } from '@mledger/event-log';

/** A refusal that a handler decides by what it looked up, told like those of a decider. */
export function refused(kind: RefusalKind, code: string, message: string): CommandRefused {
  return new CommandRefused({ kind, code, message });
}
