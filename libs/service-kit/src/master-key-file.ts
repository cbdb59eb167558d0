import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MasterKey } from '@mledger/access-control';
import { ConfigError, type Config } from './config';

/**
 * The master key of a machine that keeps its own: from MLEDGER_MASTER_KEY, else from `<home>/master-key`, which is made
 * at the first start, readable for its owner only.
 *
 * @throws ConfigError when the file does not hold a key
 */
export async function masterKeyOfHome(config: Pick<Config, 'home' | 'masterKey'>): Promise<MasterKey> {
  if (config.masterKey) return config.masterKey;
  const path = join(config.home, 'master-key');
  await mkdir(config.home, { recursive: true });
  const text = await readFile(path, 'utf8').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await makeKeyFile(path);
    return readFile(path, 'utf8');
  });
  const key = MasterKey.parse(text.trim());
  if (!key) throw new ConfigError([`MLEDGER_MASTER_KEY: ${path} does not hold 32 bytes in base64 or hex`]);
  return key;
}

/** It takes its name when it is whole: of two first starts one makes the key, and one that is killed leaves none. */
async function makeKeyFile(path: string): Promise<void> {
  const draft = `${path}.${process.pid}.${process.hrtime.bigint()}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${MasterKey.generate().text}\n`);
    await file.sync();
    // A link, unlike a rename, leaves a key that is there already.
    await link(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await rm(draft);
  }
}

/** A new name is durable only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}
