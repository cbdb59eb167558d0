import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { masterKeyOfHome } from './master-key-file';

describe('the master key of a home', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'mledger-home-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('is one, whole and for its owner alone, whoever starts at the same time', async () => {
    const starts = Array.from({ length: 20 }, () => masterKeyOfHome({ home, masterKey: undefined }));
    const keys = (await Promise.all(starts)).map((key) => key.keyFor('test').toString('hex'));
    expect(new Set(keys).size).toBe(1);
    expect((await masterKeyOfHome({ home, masterKey: undefined })).keyFor('test').toString('hex')).toBe(keys[0]);
    expect(await readdir(home)).toEqual(['master-key']);
    expect((await stat(join(home, 'master-key'))).mode & 0o777).toBe(0o600);
  });

  it('is never there in part: a start that is killed leaves none, or all of it', async () => {
    // Many, so that there is time between the steps of each.
    const homes = Array.from({ length: 100 }, (_, index) => join(home, String(index)));
    const sizes = new Set<number>();
    let making = true;
    const made = Promise.all(homes.map((one) => masterKeyOfHome({ home: one, masterKey: undefined })));
    void made.finally(() => (making = false)).catch(() => undefined);
    while (making) {
      for (const one of homes)
        if (existsSync(join(one, 'master-key'))) sizes.add(statSync(join(one, 'master-key')).size);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await made;
    expect([...sizes]).toEqual([`${Buffer.alloc(32).toString('base64')}\n`.length]);
  });
});
