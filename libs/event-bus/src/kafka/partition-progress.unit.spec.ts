import { PartitionProgress } from './partition-progress';

const place = { topic: 't', partition: 3 };
const other = { topic: 't', partition: 4 };

describe('the progress of partitions in hand', () => {
  it('counts what is not handled yet', () => {
    const progress = new PartitionProgress();
    expect(progress.lag()).toBe(0);
    progress.begin(place, { next: 10n, high: 15n });
    progress.begin(other, { next: 0n, high: 1n });
    expect(progress.lag()).toBe(6);
    progress.advance(place, 13n);
    progress.seeHigh(place, 20n);
    progress.seeHigh(place, 18n);
    progress.seeHigh({ topic: 't', partition: 99 }, 1000n);
    expect(progress.lag()).toBe(8);
    expect(progress.next(place)).toBe(13n);
    progress.clear();
    expect(progress.lag()).toBe(0);
  });

  it('has caught up when every partition has once reached its end', () => {
    const progress = new PartitionProgress();
    progress.begin(place, { next: 0n, high: 2n });
    progress.begin(other, { next: 5n, high: 5n });
    expect(progress.caughtUp()).toBe(false);
    progress.advance(place, 2n);
    expect(progress.caughtUp()).toBe(true);
    progress.seeHigh(place, 9n);
    expect(progress.caughtUp()).toBe(true);
  });

  it('counts failures in a row', () => {
    const progress = new PartitionProgress();
    progress.begin(place, { next: 0n, high: 2n });
    expect([progress.fail(place), progress.fail(place)]).toEqual([1, 2]);
    progress.advance(place, 1n);
    expect(progress.fail(place)).toBe(1);
  });

  it('is stuck when messages wait, none is in hand, and nothing has moved for too long', async () => {
    const progress = new PartitionProgress();
    const always = -1;
    expect(progress.isStuck(always)).toBe(false);
    progress.begin(place, { next: 0n, high: 2n });
    expect(progress.isStuck(always)).toBe(true);
    expect(progress.isStuck(60_000)).toBe(false);
    await progress.during(async () => expect(progress.isStuck(always)).toBe(false));
    await expect(progress.during(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(progress.isStuck(always)).toBe(true);
    progress.advance(place, 2n);
    expect(progress.isStuck(always)).toBe(false);
  });
});
