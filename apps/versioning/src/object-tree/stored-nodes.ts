import { buffer } from 'node:stream/consumers';
import { Inject, Injectable } from '@nestjs/common';
import { newObjectKey, type ObjectStore } from '@mledger/object-store';
import { OBJECT_STORE } from '@mledger/service-kit';
import { TreeNode } from './node';
import { NodeCache } from './node-cache';
import type { NodeStore } from './node-store';

/** Hot trees of a few million entries have their upper levels and much of their leaves in this. */
const CACHE_BYTES_MAX = 48 * 1024 * 1024;

/** The nodes of each repository as objects in the store, under their ids, with those used last in memory. */
@Injectable()
export class StoredNodes {
  private readonly cache = new NodeCache(CACHE_BYTES_MAX);
  private readonly reading = new Map<string, Promise<TreeNode>>();

  constructor(@Inject(OBJECT_STORE) private readonly objects: ObjectStore) {}

  of({ tenant, repositoryId }: { tenant: string; repositoryId: string }): NodeStore {
    const keyOf = (id: string) => newObjectKey({ tenant, service: 'versioning', ownerId: repositoryId, id });
    return {
      read: (id) => this.read(keyOf(id), id),
      write: async (node) => {
        const key = keyOf(node.id);
        // What is in memory came from the store or went there.
        if (this.cache.get(key)) return;
        await this.objects.put(key, node.bytes);
        this.cache.set(key, node);
      },
    };
  }

  private async read(key: string, id: string): Promise<TreeNode> {
    const cached = this.cache.get(key);
    if (cached) return cached;
    const reading = this.reading.get(key) ?? this.readStored(key, id);
    this.reading.set(key, reading);
    try {
      return await reading;
    } finally {
      this.reading.delete(key);
    }
  }

  private async readStored(key: string, id: string): Promise<TreeNode> {
    const { body } = await this.objects.get(key);
    const node = TreeNode.of(await buffer(body));
    if (node.id !== id)
      throw new Error(`the object ${key} is not the tree node that it was: its SHA-256 is ${node.id}`);
    this.cache.set(key, node);
    return node;
  }
}
