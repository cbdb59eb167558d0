import { createHash } from 'node:crypto';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ServedModel } from '@mledger/contracts';
import { ObjectStoreError, type ObjectStore } from '@mledger/object-store';
import { OBJECT_STORE } from '@mledger/service-kit';
import { ModelUnusable, SessionPool, type ModelSignature } from './session-pool';
import type { Tensor } from './tensor';

/** A graph larger than this is refused: it is held in memory once here and once in each worker. */
export const MODEL_BYTES_MAX = 2 * 1024 * 1024 * 1024;

/** What is built; also under jest, which runs this file from its source. */
const PROCESS_FILE = require.resolve('@mledger/serving/onnx-process');

/** Fetches models from the object store, by what the registry's events say of them, and keeps them in the session pool. */
@Injectable()
export class ModelLoader implements OnApplicationShutdown {
  private readonly pool = new SessionPool(PROCESS_FILE);
  private readonly loading = new Map<string, Promise<ModelSignature>>();

  constructor(@Inject(OBJECT_STORE) private readonly objects: ObjectStore) {}

  /**
   * The model's signature, once it is loaded and ready to run; many callers wait for one fetch.
   *
   * @throws ModelUnusable when the bytes are not the ones the registry recorded, or no ONNX graph
   */
  ensure(model: ServedModel): Promise<ModelSignature> {
    const loading = this.loading.get(model.sha256);
    if (loading) return loading;
    const fresh = this.fetch(model).then((bytes) => this.pool.load(model.sha256, bytes));
    this.loading.set(model.sha256, fresh);
    fresh.catch(() => this.loading.delete(model.sha256));
    return fresh;
  }

  async run(model: ServedModel, inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]> {
    // A deployment elsewhere may have had it forgotten since the caller saw its signature.
    await this.ensure(model);
    return this.pool.run(model.sha256, inputs, outputs);
  }

  /** Forgets every model but these, by their SHA-256. */
  async keepOnly(sha256s: ReadonlySet<string>): Promise<void> {
    const dropped = [...this.loading.keys()].filter((sha256) => !sha256s.has(sha256));
    for (const sha256 of dropped) this.loading.delete(sha256);
    await Promise.all(dropped.map((sha256) => this.pool.unload(sha256)));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.close();
  }

  private async fetch({ objectKey, sha256, sizeBytes }: ServedModel): Promise<Uint8Array> {
    if (sizeBytes > MODEL_BYTES_MAX) {
      throw new ModelUnusable(`the model has ${sizeBytes} bytes; at most ${MODEL_BYTES_MAX} can be served`);
    }
    const { body } = await this.objects.get(objectKey).catch(refuseAbsent);
    const bytes = new Uint8Array(sizeBytes);
    const hash = createHash('sha256');
    let offset = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (offset + chunk.byteLength > sizeBytes) throw changed();
      bytes.set(chunk, offset);
      hash.update(chunk);
      offset += chunk.byteLength;
    }
    if (offset !== sizeBytes || hash.digest('hex') !== sha256) throw changed();
    return bytes;
  }
}

/** Deleted since it was registered; to try again would help nobody. */
function refuseAbsent(error: unknown): never {
  if (error instanceof ObjectStoreError && error.code === 'not-found') {
    throw new ModelUnusable('the bytes that the registry recorded are gone');
  }
  throw error;
}

function changed(): ModelUnusable {
  return new ModelUnusable('the stored bytes are not the ones that the registry recorded');
}
