import { Injectable } from '@nestjs/common';
import type { FastifyReply } from '@mledger/service-kit';
import type { Entry } from '../entry/entry';
import { requestedRange } from '../objects/byte-range';
import { DELETED_PATHS_MAX, ObjectHandler } from '../objects/object.handler';
import { objectHeaders } from '../objects/object-headers';
import { Objects } from '../objects/objects';
import { CommandRefused } from '@mledger/event-log';
import { Refs } from '../refs/refs';
import { branchNotFound } from '../repository/refusals';
import { Repositories, type Repository } from '../repository/repositories';
import { malformedXml, notImplemented, preconditionFailed, s3Error } from './s3-errors';
import type { BranchKey } from '../staging/staging';
import { copySourceOf, headerOf, objectName, partNumberOf, type ObjectName, type S3Request } from './s3-request';
import { metadataHeaders, metadataOf } from './user-metadata';
import { readXml, xmlDocument } from './xml';

const CONTENT_TYPE_DEFAULT = 'binary/octet-stream';
const EMPTY_MD5 = 'd41d8cd98f00b204e9800998ecf8427e';

/** What S3 does with single objects, and with many at once. */
@Injectable()
export class S3Objects {
  constructor(
    private readonly refs: Refs,
    private readonly objects: Objects,
    private readonly handler: ObjectHandler,
    private readonly repositories: Repositories,
  ) {}

  async get(request: S3Request, repository: Repository, reply: FastifyReply): Promise<void> {
    const { ref, path } = objectName(request.key);
    const entry = await this.objects.get(repository, ref, path);
    void reply.headers({ ...objectHeaders(path, entry), ...metadataHeaders(entry.metadata), ...overrides(request) });
    if (isUnchanged(request, entry)) return void (await reply.status(304).send());
    const range = requestedRange(rangeOf(request, entry), entry.sizeBytes);
    if (range.kind === 'unsatisfiable') {
      const headers = { 'content-range': `bytes */${entry.sizeBytes}` };
      throw s3Error(416, 'InvalidRange', 'The requested range is not satisfiable', headers);
    }
    const part = range.kind === 'part' ? range : undefined;
    if (part) {
      const last = part.offset + part.length - 1;
      void reply.status(206).header('content-range', `bytes ${part.offset}-${last}/${entry.sizeBytes}`);
    }
    void reply.header('content-length', part?.length ?? entry.sizeBytes);
    if (request.method === 'HEAD') await reply.send();
    else await reply.send((await this.objects.open(repository, entry.objectId, part)).body);
  }

  async put(request: S3Request, repository: Repository, reply: FastifyReply): Promise<void> {
    if (isFolderOfBranch(request)) return this.putFolder(request, repository, reply);
    const { ref: branch, path } = objectName(request.key);
    const facts = factsOf(request);
    const terms = { force: false, ifAbsent: isOnlyIfAbsent(request) };
    const entry = await this.handler.upload({ repository, branch }, path, { ...facts, body: request.payload() }, terms);
    await reply.header('etag', `"${entry.checksum}"`).send();
  }

  /** A branch is a folder already, so its marker is taken and not kept: Arrow makes every folder above what it writes. */
  private async putFolder({ key }: S3Request, repository: Repository, reply: FastifyReply): Promise<void> {
    if (!(await this.refs.findBranch(repository, key.slice(0, -1)))) throw branchNotFound();
    await reply.header('etag', `"${EMPTY_MD5}"`).send();
  }

  async copy(request: S3Request, repository: Repository): Promise<string> {
    const { ref: branch, path: to } = objectName(request.key);
    const { bucket, ...from } = copySourceOf(headerOf(request, 'x-amz-copy-source') ?? '');
    const source = await this.sourceRepository(request, repository, bucket);
    const isReplacing = headerOf(request, 'x-amz-metadata-directive')?.toUpperCase() === 'REPLACE';
    const facts = isReplacing ? { facts: factsOf(request) } : {};
    const accept = (entry: Entry) => assertCopyable(request, entry);
    const terms = { force: false, ifAbsent: isOnlyIfAbsent(request), accept, ...facts };
    const entry = await this.handler.copy({ repository, branch }, { from: { repository: source, ...from }, to }, terms);
    return xmlDocument('CopyObjectResult', modifiedAnswer(entry));
  }

  /** Deleting what is not there succeeds, and so does deleting from a ref that is not there, as Hadoop's client needs it. */
  async delete(request: S3Request, repository: Repository, reply: FastifyReply): Promise<void> {
    refuseUnkept(request);
    for (const [branch, named] of byBranch([request.key])) await this.deleteNamed({ repository, branch }, named);
    await reply.status(204).send();
  }

  async deleteMany(request: S3Request, repository: Repository): Promise<string> {
    const document = await readXml(request.payload(), 'Delete');
    const keys = keysOf(document.Object);
    if (keys.length === 0 || keys.length > DELETED_PATHS_MAX) {
      throw malformedXml(`A request names 1 to ${DELETED_PATHS_MAX} keys, not ${keys.length}`);
    }
    const errors: object[] = [];
    for (const [branch, named] of byBranch(keys)) {
      try {
        await this.deleteNamed({ repository, branch }, named);
      } catch (error) {
        if (!(error instanceof CommandRefused)) throw error;
        for (const { key } of named) errors.push({ Key: key, Code: 'AccessDenied', Message: error.message });
      }
    }
    const failed = new Set(errors.map((error) => (error as { Key: string }).Key));
    const isQuiet = String(document.Quiet).trim() === 'true';
    const deleted = isQuiet ? [] : keys.filter((key) => !failed.has(key)).map((Key) => ({ Key }));
    return xmlDocument('DeleteResult', { Deleted: deleted, Error: errors });
  }

  private async deleteNamed(key: BranchKey, named: readonly ObjectName[]): Promise<void> {
    try {
      const paths = named.map(({ path }) => path);
      await this.handler.delete(key, paths, { force: false });
    } catch (error) {
      if (!(error instanceof CommandRefused && error.refusal.code === 'BRANCH_NOT_FOUND')) throw error;
    }
  }

  /** Another bucket is looked up among those of the caller's own tenant. */
  async sourceRepository({ caller }: S3Request, repository: Repository, bucket: string): Promise<Repository> {
    return bucket === repository.name ? repository : this.repositories.get(caller.tenant, bucket);
  }
}

function isFolderOfBranch(request: S3Request): boolean {
  const bytes = headerOf(request, 'x-amz-decoded-content-length') ?? headerOf(request, 'content-length');
  return bytes === '0' && /^[^/]+\/$/.test(request.key);
}

export function factsOf(request: S3Request) {
  return {
    contentType: headerOf(request, 'content-type') ?? CONTENT_TYPE_DEFAULT,
    metadata: metadataOf(request.headers),
  };
}

/** What a write would destroy or leave open to others if it were passed over. */
const UNKEPT = [
  'if-match',
  'if-modified-since',
  'if-unmodified-since',
  'x-amz-if-match-last-modified-time',
  'x-amz-if-match-size',
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-mode',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-write-offset-bytes',
];

export function refuseUnkept({ headers }: Pick<S3Request, 'headers'>): void {
  if (UNKEPT.some((name) => headers[name] !== undefined)) throw notImplemented();
}

/** `If-None-Match: *` is the one condition of a write that is kept; others are refused rather than passed over. */
export function isOnlyIfAbsent(request: S3Request): boolean {
  refuseUnkept(request);
  const ifNoneMatch = headerOf(request, 'if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw notImplemented();
  return ifNoneMatch === '*';
}

export function modifiedAnswer(entry: Pick<Entry, 'checksum' | 'modifiedAtSeconds'>): object {
  return {
    LastModified: new Date(entry.modifiedAtSeconds * 1000).toISOString(),
    ETag: `"${entry.checksum}"`,
  };
}

/** The conditions of a copy, on what is copied. @throws PreconditionFailed */
export function assertCopyable(request: S3Request, entry: Entry): void {
  if (isUnchanged(request, entry, 'x-amz-copy-source-')) throw preconditionFailed();
}

/** The conditions of a read (RFC 9110 §13): true when the client has this content already. @throws PreconditionFailed */
function isUnchanged(request: S3Request, { checksum, modifiedAtSeconds }: Entry, prefix = ''): boolean {
  const names = (list: string) => list.split(',').map((name) => name.trim().replace(/^W\//, '').replaceAll('"', ''));
  const isNamed = (list: string) => list.trim() === '*' || names(list).includes(checksum);
  const secondsOf = (name: string) => Date.parse(headerOf(request, prefix + name) ?? '') / 1000;
  const ifMatch = headerOf(request, `${prefix}if-match`);
  if (ifMatch !== undefined) {
    if (!isNamed(ifMatch)) throw preconditionFailed();
  } else if (modifiedAtSeconds > secondsOf('if-unmodified-since')) throw preconditionFailed();
  const ifNoneMatch = headerOf(request, `${prefix}if-none-match`);
  return ifNoneMatch === undefined ? modifiedAtSeconds <= secondsOf('if-modified-since') : isNamed(ifNoneMatch);
}

/** What part a client asks for. An object has one, all of it: in how many it was uploaded is not kept. */
function rangeOf(request: S3Request, { sizeBytes }: Entry): string | undefined {
  const range = headerOf(request, 'range');
  if (!request.query.has('partNumber')) return range;
  if (range !== undefined) {
    throw s3Error(400, 'InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
  }
  if (partNumberOf(request) === 1) return sizeBytes === 0 ? undefined : 'bytes=0-';
  throw s3Error(416, 'InvalidPartNumber', 'The requested partnumber is not satisfiable');
}

/** A signed URL may say what its answer is called. It stays something to be saved: never a page. */
function overrides({ query }: S3Request): Record<string, string> {
  const disposition = query.get('response-content-disposition') ?? '';
  const type = query.get('response-content-type') ?? '';
  const isHeader = (text: string) => /^[\x20-\x7e]{1,512}$/.test(text);
  return {
    ...(isHeader(type) && { 'content-type': type }),
    ...(isHeader(disposition) && /^attachment\b/i.test(disposition) && { 'content-disposition': disposition }),
  };
}

const CONDITIONS_OF_DELETION = ['ETag', 'LastModifiedTime', 'Size'];

function keysOf(objects: unknown): string[] {
  if (!Array.isArray(objects)) return [];
  return objects.map((object: { Key?: unknown }) => {
    if (typeof object?.Key !== 'string') throw malformedXml('An object has no key');
    if (CONDITIONS_OF_DELETION.some((name) => name in object)) throw notImplemented();
    return object.Key;
  });
}

/** A key that names a ref and nothing in it is passed over: Spark deletes such markers of folders. */
function byBranch(keys: readonly string[]): Map<string, (ObjectName & { key: string })[]> {
  const groups = new Map<string, (ObjectName & { key: string })[]>();
  for (const key of keys) {
    if (!/^[^/]+\/./s.test(key)) continue;
    const name = { key, ...objectName(key) };
    groups.set(name.ref, [...(groups.get(name.ref) ?? []), name]);
  }
  return groups;
}
