import { patiently } from './patiently';

/** Fails so many times, then says how often it was called. */
function failing(times: number) {
  let calls = 0;
  const work = async () => {
    calls += 1;
    if (calls <= times) throw new Error(`failure ${calls}`);
    return calls;
  };
  return { work, calls: () => calls };
}

describe('patience', () => {
  it('outlasts failures, but not all of them', async () => {
    expect(await patiently(failing(29).work, { retryMs: 0 })).toBe(30);
    await expect(patiently(failing(30).work, { retryMs: 0 })).rejects.toThrow('failure 30');
  });

  it('is not spent on what no other try would change', async () => {
    const { work, calls } = failing(30);
    await expect(patiently(work, { retryMs: 0, isFinal: () => true })).rejects.toThrow('failure 1');
    expect(calls()).toBe(1);
  });
});
