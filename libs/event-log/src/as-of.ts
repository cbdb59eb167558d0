import { CommandRefused } from './decider';

/** A moment in a service's past: a position in its public order, or a time (ISO, three decimals). */
export type AsOf = { readonly seq: number } | { readonly time: string };

const SEQ = /^seq:(0|[1-9][0-9]{0,15})$/;
const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * Reads `seq:<n>` or an RFC 3339 time. Digits below the millisecond are cut off, because the log's times have three decimals.
 *
 * @throws CommandRefused `invalid` for anything else, days that do not exist included.
 */
export function parseAsOf(text: string): AsOf {
  const seq = SEQ.exec(text);
  if (seq && Number.isSafeInteger(Number(seq[1]))) return { seq: Number(seq[1]) };
  const time = seq ? undefined : parseTime(text);
  if (time === undefined) {
    throw new CommandRefused({
      kind: 'invalid',
      code: 'INVALID_AS_OF',
      message: `asOf is neither seq:<n> nor an RFC 3339 time such as 2026-11-23T08:00:00.000Z: ${JSON.stringify(text)}`,
    });
  }
  return { time };
}

function parseTime(text: string): string | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}`;
  // Date rolls 30 February over into March; a day that does not exist must not be answered for another.
  const plain = new Date(`${local}Z`);
  if (Number.isNaN(plain.getTime()) || plain.toISOString() !== `${local}Z`) return undefined;
  const time = new Date(`${local}${zone.toUpperCase()}`).toISOString();
  // Postgres knows no year 0, and a zone can carry a time into that, or past the year 9999.
  return /^(?!0000)\d{4}-/.test(time) ? time : undefined;
}
