import { parseAsOf } from './as-of';
import { CommandRefused } from './decider';

describe('parseAsOf', () => {
  it.each([
    ['seq:0', { seq: 0 }],
    ['seq:12', { seq: 12 }],
    ['2026-11-23T08:00:00Z', { time: '2026-11-23T08:00:00.000Z' }],
    ['2026-11-23t08:00:00.5z', { time: '2026-11-23T08:00:00.500Z' }],
    ['2026-11-23T08:00:00.123999+02:00', { time: '2026-11-23T06:00:00.123Z' }],
    ['2024-02-29T23:59:59-01:30', { time: '2024-03-01T01:29:59.000Z' }],
  ])('reads %s', (text, at) => expect(parseAsOf(text)).toEqual(at));

  it.each([
    '',
    'seq:',
    'seq:-1',
    'seq:01',
    'seq:9007199254740992',
    'seq:1.5',
    'yesterday',
    '2026-11-23',
    '2026-11-23T08:00:00',
    '2026-02-30T08:00:00Z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T08:00:60Z',
    '2026-11-23T08:00:00+24:00',
    '2026-11-23T08:00:00Z ',
  ])('refuses %j', (text) => expect(() => parseAsOf(text)).toThrow(CommandRefused));
});
