import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { CHECKSUM_NAMES, newChecksum } from '@mledger/access-control';
import { CommandRefused } from '@mledger/event-log';
import { Injectable } from '@nestjs/common';
import { Clock, Ids } from '@mledger/service-kit';
import { DataSource } from 'typeorm';
import { requestedRange } from '../objects/byte-range';
import { ObjectHandler } from '../objects/object.handler';
import { Objects, type StoredBytes } from '../objects/objects';
import type { Repository } from '../repository/repositories';
import { malformedXml, noSuchUpload, s3Error } from './s3-errors';
import { assertCopyable, factsOf, isOnlyIfAbsent, modifiedAnswer, refuseUnkept, S3Objects } from './s3-objects';
import { copySourceOf, headerOf, objectName, partNumberOf, type S3Request } from './s3-request';
import * as sql from './s3-multipart.sql';
import { encodeKey, readXml, xmlDocument } from './xml';
import { rowsOf } from '../sql/statement';

const LIST_MAX = 1000;

interface Upload {
  readonly uploadId: string;
  readonly branch: string;
  readonly path: string;
  readonly contentType: string;
  readonly metadata: Record<string, string>;
  readonly startedAt: Date;
}

interface ListedUpload {
  readonly key: string;
  /** Null for a common prefix. */
  readonly uploadId: string | null;
  readonly startedAt: Date;
}

interface Part {
  readonly partNumber: number;
  readonly objectId: string;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly modifiedAt: Date;
}

/** Uploads in parts. A part is an object of its own until the upload is completed, and then becomes a piece of one. */
@Injectable()
export class S3Multipart {
  constructor(
    private readonly dataSource: DataSource,
    private readonly objects: Objects,
    private readonly handler: ObjectHandler,
    private readonly s3Objects: S3Objects,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  async create(request: S3Request, repository: Repository): Promise<string> {
    refuseUnkept(request);
    const { ref: branch, path } = objectName(request.key);
    await this.handler.assertWritable({ repository, branch }, path, { force: false, ifAbsent: false });
    const { contentType, metadata } = factsOf(request);
    const uploadId = this.ids.uuidv7();
    const { tenant, repositoryId } = repository;
    const values = [uploadId, tenant, repositoryId, branch, path, contentType, metadata, this.clock.now()];
    await rowsOf(this.dataSource, sql.CREATE_UPLOAD, values);
    const names = { Bucket: repository.name, Key: request.key };
    return xmlDocument('InitiateMultipartUploadResult', { ...names, UploadId: uploadId });
  }

  /** @returns the part's MD5 */
  async putPart(request: S3Request, repository: Repository): Promise<string> {
    const upload = await this.uploadOf(request, repository);
    const partNumber = partNumberOf(request);
    const stored = await this.objects.takeIn(repository, request.payload());
    await this.keepPart(repository, upload, partNumber, stored);
    return stored.md5;
  }

  async copyPart(request: S3Request, repository: Repository): Promise<string> {
    const upload = await this.uploadOf(request, repository);
    const partNumber = partNumberOf(request);
    const { bucket, ref, path } = copySourceOf(headerOf(request, 'x-amz-copy-source') ?? '');
    const source = await this.s3Objects.sourceRepository(request, repository, bucket);
    const entry = await this.objects.get(source, ref, path);
    assertCopyable(request, entry);
    const part = copiedRange(headerOf(request, 'x-amz-copy-source-range'), entry.sizeBytes);
    const { body } = await this.objects.open(source, entry.objectId, part);
    const stored = await this.objects.takeIn(repository, body);
    await this.keepPart(repository, upload, partNumber, stored);
    const modifiedAtSeconds = Math.floor(this.clock.nowMs() / 1000);
    return xmlDocument('CopyPartResult', modifiedAnswer({ checksum: stored.md5, modifiedAtSeconds }));
  }

  async complete(request: S3Request, repository: Repository): Promise<string> {
    const upload = await this.uploadOf(request, repository);
    const stored = await this.partsOf(upload.uploadId);
    const parts = chosenParts(await readXml(request.payload(), 'CompleteMultipartUpload'), stored);
    const key = { repository, branch: upload.branch };
    const terms = { force: false, ifAbsent: isOnlyIfAbsent(request) };
    const { contentType, metadata } = upload;
    const facts = {
      contentType,
      metadata,
      body: Readable.from(verified(this.bytesOf(repository, parts), request), { objectMode: false }),
    };
    await this.handler.upload(key, upload.path, facts, terms);
    await this.forget(repository, upload.uploadId, stored);
    const names = { Location: `/${repository.name}/${request.key}`, Bucket: repository.name, Key: request.key };
    return xmlDocument('CompleteMultipartUploadResult', { ...names, ETag: `"${etagOfParts(parts)}"` });
  }

  async abort(request: S3Request, repository: Repository): Promise<void> {
    const { uploadId } = await this.uploadOf(request, repository);
    await this.forget(repository, uploadId, await this.partsOf(uploadId));
  }

  async listParts(request: S3Request, repository: Repository): Promise<string> {
    const { uploadId } = await this.uploadOf(request, repository);
    const after = Number(request.query.get('part-number-marker') ?? 0);
    const max = Math.min(Number(request.query.get('max-parts') ?? LIST_MAX), LIST_MAX);
    if (!(after >= 0 && max >= 1))
      throw s3Error(400, 'InvalidArgument', 'max-parts or part-number-marker is no number');
    const following = (await this.partsOf(uploadId)).filter(({ partNumber }) => partNumber > after);
    const page = following.slice(0, max);
    return xmlDocument('ListPartsResult', {
      Bucket: repository.name,
      Key: request.key,
      UploadId: uploadId,
      PartNumberMarker: after,
      NextPartNumberMarker: page.at(-1)?.partNumber ?? after,
      MaxParts: max,
      IsTruncated: following.length > page.length,
      Part: page.map(({ partNumber, modifiedAt, md5, sizeBytes }) => ({
        PartNumber: partNumber,
        LastModified: modifiedAt.toISOString(),
        ETag: `"${md5}"`,
        Size: sizeBytes,
      })),
    });
  }

  async listUploads(request: S3Request, { tenant, repositoryId, name }: Repository): Promise<string> {
    const { query } = request;
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter') ?? '';
    const keyMarker = query.get('key-marker') ?? '';
    // S3 passes over an upload's id without a key.
    const uploadMarker = keyMarker === '' ? '' : (query.get('upload-id-marker') ?? '');
    const max = Math.min(Number(query.get('max-uploads') ?? LIST_MAX), LIST_MAX);
    if (!(Number.isInteger(max) && max >= 1)) throw s3Error(400, 'InvalidArgument', 'max-uploads is no number above 0');
    // No id is beyond a null: with a key alone the page begins after all of its uploads.
    const values = [tenant, repositoryId, prefix, delimiter, keyMarker, uploadMarker || null, max + 1];
    const found = await rowsOf<ListedUpload>(this.dataSource, sql.LIST_UPLOADS, values);
    const page = found.slice(0, max);
    const isTruncated = found.length > max;
    const isEncoded = query.get('encoding-type') === 'url';
    const text = (value: string) => (isEncoded ? encodeKey(value) : value);
    return xmlDocument('ListMultipartUploadsResult', {
      Bucket: name,
      KeyMarker: text(keyMarker),
      UploadIdMarker: uploadMarker,
      NextKeyMarker: isTruncated ? text(page.at(-1)!.key) : undefined,
      NextUploadIdMarker: isTruncated ? (page.at(-1)!.uploadId ?? '') : undefined,
      Prefix: text(prefix),
      Delimiter: delimiter === '' ? undefined : text(delimiter),
      EncodingType: isEncoded ? 'url' : undefined,
      MaxUploads: max,
      IsTruncated: isTruncated,
      Upload: page.flatMap(({ key, uploadId, startedAt }) =>
        uploadId === null
          ? []
          : [{ Key: text(key), UploadId: uploadId, Initiated: startedAt.toISOString(), StorageClass: 'STANDARD' }],
      ),
      CommonPrefixes: page.flatMap(({ key, uploadId }) => (uploadId === null ? [{ Prefix: text(key) }] : [])),
    });
  }

  /** @throws NoSuchUpload also for another key's upload, or another repository's */
  private async uploadOf(request: S3Request, { tenant, repositoryId }: Repository): Promise<Upload> {
    const { ref: branch, path } = objectName(request.key);
    const uploadId = request.query.get('uploadId') ?? '';
    const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uploadId);
    const values = [uploadId, tenant, repositoryId, branch, path];
    const [upload] = isId ? await rowsOf<Upload>(this.dataSource, sql.FIND_UPLOAD, values) : [];
    if (!upload) throw noSuchUpload();
    return upload;
  }

  private partsOf(uploadId: string): Promise<Part[]> {
    return rowsOf<Part>(this.dataSource, sql.LIST_PARTS, [uploadId]);
  }

  /**
   * A part that is sent again takes the place of the one before, whose bytes nobody needs any more.
   * @throws NoSuchUpload when the upload was completed or aborted while the part came in
   */
  private async keepPart(
    repository: Repository,
    upload: Upload,
    partNumber: number,
    stored: StoredBytes,
  ): Promise<void> {
    const { objectId, sizeBytes, md5 } = stored;
    const values = [upload.uploadId, partNumber, objectId, sizeBytes, md5, this.clock.now()];
    const before = (await this.partsOf(upload.uploadId)).find((part) => part.partNumber === partNumber);
    const kept = await rowsOf(this.dataSource, sql.KEEP_PART, values);
    if (kept.length === 0) {
      await this.objects.discard(repository, objectId);
      throw noSuchUpload();
    }
    if (before) await this.objects.discard(repository, before.objectId);
  }

  private async *bytesOf(repository: Repository, parts: readonly Part[]): AsyncGenerator<Buffer> {
    for (const { objectId } of parts) {
      // The upload was aborted meanwhile, or completed by the same request sent again.
      const { body } = await this.objects.open(repository, objectId).catch(mapGone);
      for await (const chunk of body) yield chunk as Buffer;
    }
  }

  private async forget(repository: Repository, uploadId: string, parts: readonly Part[]): Promise<void> {
    await rowsOf(this.dataSource, sql.FORGET_UPLOAD, [uploadId]);
    for (const { objectId } of parts) await this.objects.discard(repository, objectId);
  }
}

function mapGone(error: unknown): never {
  throw error instanceof CommandRefused && error.refusal.code === 'OBJECT_GONE' ? noSuchUpload() : error;
}

/** What of a source is copied: first and last byte, both there. A shorter copy than the client believes would go unseen. */
function copiedRange(header: string | undefined, sizeBytes: number) {
  if (header === undefined) return undefined;
  const [, first = '', last = ''] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header.trim()) ?? [];
  const range = first === '' || Number(last) >= sizeBytes ? undefined : requestedRange(header, sizeBytes);
  if (range?.kind === 'part') return range;
  throw s3Error(400, 'InvalidArgument', `The range is not within the ${sizeBytes} bytes of the source`);
}

/** The parts that a client names to make the object of. @throws InvalidPart, InvalidPartOrder, MalformedXML */
function chosenParts(document: Record<string, unknown>, stored: readonly Part[]): Part[] {
  const named = Array.isArray(document.Part) ? (document.Part as { PartNumber?: unknown; ETag?: unknown }[]) : [];
  if (named.length === 0) throw malformedXml('An upload is completed of one part at least');
  const byNumber = new Map(stored.map((part) => [part.partNumber, part]));
  const parts = named.map(({ PartNumber, ETag }) => {
    const part = byNumber.get(Number(PartNumber));
    if (part && String(ETag).replaceAll('"', '').trim() === part.md5) return part;
    throw s3Error(400, 'InvalidPart', 'One or more of the specified parts could not be found.');
  });
  const isAscending = parts.every((part, at) => at === 0 || part.partNumber > parts[at - 1]!.partNumber);
  if (!isAscending) throw s3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
  return parts;
}

/**
 * The bytes, held against the checksums that the completion states of the whole object. A checksum of the parts' checksums
 * (the other type) is passed over: each part was verified as it came in.
 */
async function* verified(bytes: AsyncIterable<Buffer>, request: S3Request): AsyncGenerator<Buffer> {
  const isWhole = headerOf(request, 'x-amz-checksum-type')?.toUpperCase() === 'FULL_OBJECT';
  const stated = CHECKSUM_NAMES.flatMap((name) => {
    const expected = headerOf(request, `x-amz-checksum-${name}`);
    // CRC-64/NVME has no other type.
    return expected !== undefined && (isWhole || name === 'crc64nvme')
      ? [{ name, expected, checksum: newChecksum(name) }]
      : [];
  });
  for await (const chunk of bytes) {
    for (const { checksum } of stated) checksum.update(chunk);
    yield chunk;
  }
  const failed = stated.find(({ checksum, expected }) => checksum.digest() !== expected);
  if (failed) throw s3Error(400, 'BadDigest', `The x-amz-checksum-${failed.name} you specified did not match.`);
}

/** S3's own for such objects, which some clients compute and compare. The stored object has the MD5 of all its bytes. */
function etagOfParts(parts: readonly Part[]): string {
  const hash = createHash('md5');
  for (const { md5 } of parts) hash.update(md5, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}
