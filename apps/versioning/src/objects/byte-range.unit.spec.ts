import { requestedRange } from './byte-range';

describe('a requested range', () => {
  it.each([
    [undefined, 10, { kind: 'whole' }],
    ['bytes=0-0', 10, { kind: 'part', offset: 0, length: 1 }],
    ['bytes=2-', 10, { kind: 'part', offset: 2, length: 8 }],
    ['bytes=2-99', 10, { kind: 'part', offset: 2, length: 8 }],
    ['bytes=-3', 10, { kind: 'part', offset: 7, length: 3 }],
    ['bytes=-99', 10, { kind: 'part', offset: 0, length: 10 }],
    ['bytes=-0', 10, { kind: 'unsatisfiable' }],
    ['bytes=10-', 10, { kind: 'unsatisfiable' }],
    ['bytes=0-', 0, { kind: 'unsatisfiable' }],
    ['bytes=1-2,3-4', 10, { kind: 'several' }],
    ['bytes=2-1', 10, { kind: 'malformed' }],
    ['bytes=', 10, { kind: 'malformed' }],
    ['bytes=-', 10, { kind: 'malformed' }],
    ['bytes=a-b', 10, { kind: 'malformed' }],
    ['items=0-1', 10, { kind: 'malformed' }],
    [`bytes=${'9'.repeat(16)}-`, 10, { kind: 'malformed' }],
  ])('%s of %d bytes', (header, size, expected) => {
    expect(requestedRange(header, size)).toEqual(expected);
  });
});
