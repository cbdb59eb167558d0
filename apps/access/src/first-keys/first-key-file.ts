import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { newAccessKey, type AccessKey } from '@mledger/access-control';
import { Config } from '@mledger/service-kit';
import { z } from 'zod';

const keyFile = z.record(z.string(), z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }));
type KeyFile = z.output<typeof keyFile>;

/** `<home>/first-keys.json`: the keys that were made because none was given, readable for their owner only. */
@Injectable()
export class FirstKeyFile {
  constructor(private readonly config: Config) {}

  get path(): string {
    return join(this.config.home, 'first-keys.json');
  }

  /** The tenant's key, made and stored unless it is there. */
  async keyOf(tenantId: string): Promise<AccessKey> {
    const kept = await this.read();
    const known = kept[tenantId];
    if (known) return { keyId: known.accessKeyId, secret: known.secretAccessKey };
    const key = newAccessKey();
    await this.write({ ...kept, [tenantId]: { accessKeyId: key.keyId, secretAccessKey: key.secret } });
    return key;
  }

  /** Holds on to the key that was taken, though another process may have written its own meanwhile. */
  async keep(tenantId: string, { keyId, secret }: AccessKey): Promise<void> {
    const kept = await this.read();
    if (kept[tenantId]?.accessKeyId === keyId) return;
    await this.write({ ...kept, [tenantId]: { accessKeyId: keyId, secretAccessKey: secret } });
  }

  private async read(): Promise<KeyFile> {
    try {
      return keyFile.parse(JSON.parse(await readFile(this.path, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw new Error(`${this.path} does not hold keys any more: move it away to have new ones made`, { cause: error });
    }
  }

  /** In one step, so that a crash leaves the old file or the new one. */
  private async write(keys: KeyFile): Promise<void> {
    await mkdir(this.config.home, { recursive: true });
    const temporary = `${this.path}.${process.pid}.new`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(keys, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.path);
  }
}
