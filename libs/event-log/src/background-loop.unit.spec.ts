import { BackgroundLoop, type TurnResult } from './background-loop';
import { eventually } from './testing/eventually';

const NEVER_MS = 1_000_000;
const noError = (error: unknown) => {
  throw error;
};

describe('a background loop', () => {
  it('goes on while there is more, and then waits to be woken', async () => {
    const results: TurnResult[] = ['more', 'more', 'idle', 'idle'];
    let turns = 0;
    const loop = new BackgroundLoop({
      turn: async () => results[turns++] ?? 'idle',
      onError: noError,
      pollMs: NEVER_MS,
    });
    loop.start();
    await eventually('three turns', () => turns === 3);
    loop.wake();
    await eventually('a fourth', () => turns === 4);
    await loop.stop();
    expect(turns).toBe(4);
  });

  it('loses no wake-up that comes during a turn', async () => {
    let turns = 0;
    const loop: BackgroundLoop = new BackgroundLoop({
      turn: async () => {
        turns += 1;
        if (turns === 1) loop.wake();
        return 'idle';
      },
      onError: noError,
      pollMs: NEVER_MS,
    });
    loop.start();
    await eventually('the second turn', () => turns === 2);
    await loop.stop();
  });

  it('polls, reports a failure and tries again', async () => {
    const errors: unknown[] = [];
    let turns = 0;
    const loop = new BackgroundLoop({
      turn: async () => {
        turns += 1;
        if (turns === 2) throw new Error('on purpose');
        return 'idle';
      },
      onError: (error) => errors.push(error),
      pollMs: 1,
    });
    loop.start();
    await eventually('a turn after the failure', () => turns >= 3);
    await loop.stop();
    expect(errors).toEqual([new Error('on purpose')]);
  });

  it('stops when the turn under way has ended, and needs not have begun', async () => {
    let ended = false;
    const loop = new BackgroundLoop({
      turn: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        ended = true;
        return 'more';
      },
      onError: noError,
      pollMs: NEVER_MS,
    });
    loop.start();
    await loop.stop();
    expect(ended).toBe(true);
    await new BackgroundLoop({ turn: async () => 'idle', onError: noError, pollMs: NEVER_MS }).stop();
  });
});
