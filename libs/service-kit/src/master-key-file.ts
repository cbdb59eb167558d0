import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  try {
    // Exclusive, so that of two first starts one makes the key and the other reads it.
    const file = await open(path, 'wx', 0o600);
    const made = MasterKey.generate();
    try {
      await file.writeFile(`${made.text}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    return made.key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const key = MasterKey.parse((await readFile(path, 'utf8')).trim());
  if (!key) throw new ConfigError([`MLEDGER_MASTER_KEY: ${path} does not hold 32 bytes in base64 or hex`]);
  return key;
}
