import { Injectable } from '@nestjs/common';
import { CommandRefused } from '@mledger/event-log';
import { Objects, type ListedObject } from '../objects/objects';
import { Refs } from '../refs/refs';
import type { Repository } from '../repository/repositories';
import { s3Error } from './s3-errors';
import { encodeKey, xmlDocument } from './xml';

const KEYS_MAX = 1000;

interface ListTerms {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  /** A key with its ref, exclusive. */
  readonly after: string;
  /** Keys come percent-encoded. */
  readonly isEncoded: boolean;
}

interface Listed {
  readonly objects: readonly { readonly key: string; readonly item: ListedObject & { type: 'object' } }[];
  readonly commonPrefixes: readonly string[];
  /** The last key or common prefix of the page, when there are more. */
  readonly next: string | undefined;
}

/** ListObjects, version 1 and 2. Above a ref the branches are listed, as folders. */
@Injectable()
export class S3Listing {
  constructor(
    private readonly refs: Refs,
    private readonly objects: Objects,
  ) {}

  async list(repository: Repository, query: URLSearchParams): Promise<string> {
    const isV2 = query.get('list-type') === '2';
    const startAfter = query.get('start-after') ?? '';
    const token = query.get('continuation-token');
    const marker = query.get('marker') ?? '';
    const terms: ListTerms = {
      prefix: query.get('prefix') ?? '',
      delimiter: query.get('delimiter') ?? '',
      maxKeys: maxKeysOf(query.get('max-keys')),
      after: isV2 ? (token === null ? startAfter : keyOfToken(token)) : marker,
      isEncoded: query.get('encoding-type') === 'url',
    };
    const listed = await this.page(repository, terms);
    const text = (value: string) => (terms.isEncoded ? encodeKey(value) : value);
    const version = isV2
      ? {
          KeyCount: listed.objects.length + listed.commonPrefixes.length,
          StartAfter: startAfter === '' ? undefined : text(startAfter),
          ContinuationToken: token ?? undefined,
          // Always encoded: XML would change a line end or a control character in it, and the next page begin elsewhere.
          NextContinuationToken: listed.next && encodeKey(listed.next),
        }
      : { Marker: text(marker), NextMarker: listed.next && terms.delimiter !== '' ? text(listed.next) : undefined };
    return xmlDocument('ListBucketResult', {
      Name: repository.name,
      Prefix: text(terms.prefix),
      Delimiter: terms.delimiter === '' ? undefined : text(terms.delimiter),
      MaxKeys: terms.maxKeys,
      EncodingType: terms.isEncoded ? 'url' : undefined,
      IsTruncated: listed.next !== undefined,
      ...version,
      Contents: listed.objects.map(({ key, item: { entry } }) => ({
        Key: text(key),
        LastModified: new Date(entry.modifiedAtSeconds * 1000).toISOString(),
        ETag: `"${entry.checksum}"`,
        Size: entry.sizeBytes,
        StorageClass: 'STANDARD',
      })),
      CommonPrefixes: listed.commonPrefixes.map((prefix) => ({ Prefix: text(prefix) })),
    });
  }

  private async page(repository: Repository, terms: ListTerms): Promise<Listed> {
    const { prefix, after, maxKeys } = terms;
    if (maxKeys === 0) return { objects: [], commonPrefixes: [], next: undefined };
    const cut = prefix.indexOf('/');
    if (cut < 0) return this.branches(repository, terms);
    const start = prefix.slice(0, cut + 1);
    if (after !== '' && !after.startsWith(start)) {
      throw s3Error(400, 'InvalidArgument', `The page must begin within ${start}`);
    }
    const resolved = await this.refs.resolve(repository, prefix.slice(0, cut)).catch(ignoreNotFound);
    if (!resolved) return { objects: [], commonPrefixes: [], next: undefined };
    const { items, hasMore } = await this.objects.list(repository, resolved, {
      prefix: prefix.slice(start.length),
      after: after.slice(start.length),
      delimiter: terms.delimiter,
      limit: maxKeys,
    });
    const last = items.at(-1);
    return {
      objects: items.flatMap((item) => (item.type === 'object' ? [{ key: start + item.path, item }] : [])),
      commonPrefixes: items.flatMap((item) => (item.type === 'common-prefix' ? [start + item.path] : [])),
      next: hasMore && last ? start + last.path : undefined,
    };
  }

  private async branches(repository: Repository, { prefix, after, maxKeys: limit }: ListTerms): Promise<Listed> {
    const query = { prefix, after: after.replace(/\/.*$/s, ''), limit, showHidden: false };
    const { items, hasMore } = await this.refs.listBranches(repository, query);
    const commonPrefixes = items.map(({ name }) => `${name}/`);
    return { objects: [], commonPrefixes, next: hasMore ? commonPrefixes.at(-1) : undefined };
  }
}

function maxKeysOf(text: string | null): number {
  if (text === null || text === '') return KEYS_MAX;
  if (!/^\d{1,9}$/.test(text)) throw s3Error(400, 'InvalidArgument', 'max-keys is not a whole number');
  return Math.min(Number(text), KEYS_MAX);
}

function keyOfToken(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch {
    throw s3Error(400, 'InvalidArgument', 'The continuation token provided is incorrect');
  }
}

function ignoreNotFound(error: unknown): undefined {
  if (!(error instanceof CommandRefused) || error.refusal.kind !== 'not-found') throw error;
}
