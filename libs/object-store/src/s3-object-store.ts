import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type CompletedPart,
  type GetObjectCommandOutput,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Readable } from 'node:stream';
import { DigestMeter } from './digests';
import { assertKeyPrefix, assertObjectKey } from './object-key';
import {
  LIST_LIMIT_MAX,
  objectExists,
  objectNotFound,
  resolveRange,
  type ByteRange,
  type ListOptions,
  type ObjectBody,
  type ObjectHead,
  type ObjectPage,
  type ObjectStore,
  type PresignOptions,
  type PutOptions,
  type StoredObject,
} from './object-store';
import { inParts } from './s3-parts';

/** S3 takes 10,000 parts, so what comes in one stream may have 78 GiB. */
const PART_BYTES = 8 * 1024 * 1024;
/** The most that S3 copies in one call; larger objects are copied through this process. */
const COPY_BYTES_MAX = 5 * 1024 ** 3;

export interface S3ObjectStoreOptions {
  readonly bucket: string;
  readonly region?: string;
  /** Of a server other than Amazon's; it is addressed by path. */
  readonly endpoint?: string;
  /** The SDK's own chain (environment, profile, instance role) when absent. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Objects in a bucket of S3 or of a server that speaks it. */
export class S3ObjectStore implements ObjectStore {
  private constructor(
    private readonly client: S3Client,
    private readonly bucket: string,
  ) {}

  /** Makes the bucket when it does not exist. */
  static async open({
    bucket,
    region = 'us-east-1',
    endpoint,
    credentials,
  }: S3ObjectStoreOptions): Promise<S3ObjectStore> {
    const client = new S3Client({
      region,
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      ...(credentials && { credentials }),
      // Many servers know no trailing checksums; the digests of this store are computed on the way in any case.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    await client.send(new HeadBucketCommand({ Bucket: bucket })).catch(async (error: unknown) => {
      if (statusOf(error) !== 404) throw error;
      await client.send(new CreateBucketCommand({ Bucket: bucket })).catch(ignoreOwnBucket);
    });
    return new S3ObjectStore(client, bucket);
  }

  /** Closes the connections; the store is of no use afterwards. */
  close(): void {
    this.client.destroy();
  }

  async put(key: string, body: Readable | Buffer, options: PutOptions = {}): Promise<StoredObject> {
    assertObjectKey(key);
    const target = {
      Bucket: this.bucket,
      Key: key,
      ...(options.contentType !== undefined && { ContentType: options.contentType }),
      ...(options.ifNoneMatch && { IfNoneMatch: options.ifNoneMatch }),
    };
    const meter = new DigestMeter();
    const etag = await (
      Buffer.isBuffer(body) ? this.putBuffer(target, body, meter) : this.putStream(target, body, meter)
    ).catch((error: unknown) => {
      throw [409, 412].includes(statusOf(error) ?? 0) ? objectExists(key) : error;
    });
    return { ...meter.digests(), etag };
  }

  async get(key: string, range?: ByteRange): Promise<ObjectBody> {
    assertObjectKey(key);
    const whole = range ? await this.head(key) : undefined;
    const part = range && whole ? resolveRange(key, whole.sizeBytes, range) : undefined;
    const answer = await this.client
      .send(
        new GetObjectCommand({
          Bucket: this.bucket,
          Key: key,
          // The range was cut to the size of one content; another that came in between must not answer it.
          ...(part && { Range: `bytes=${part.offset}-${part.offset + part.length - 1}`, IfMatch: whole?.etag }),
        }),
      )
      .catch(mapMissing(key));
    const bodyBytes = answer.ContentLength ?? 0;
    return { ...headOf(key, answer), ...whole, body: answer.Body as Readable, bodyBytes };
  }

  async head(key: string): Promise<ObjectHead> {
    assertObjectKey(key);
    const answer = await this.client
      .send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }))
      .catch(mapMissing(key));
    return headOf(key, answer);
  }

  async list(prefix: string, { after, limit = LIST_LIMIT_MAX }: ListOptions = {}): Promise<ObjectPage> {
    assertKeyPrefix(prefix);
    const answer = await this.client.send(
      new ListObjectsV2Command({
        Bucket: this.bucket,
        Prefix: prefix,
        MaxKeys: Math.min(limit, LIST_LIMIT_MAX),
        ...(after !== undefined && { StartAfter: after }),
      }),
    );
    const objects = (answer.Contents ?? []).map((item) => ({
      key: item.Key ?? '',
      sizeBytes: item.Size ?? 0,
      etag: item.ETag ?? '',
      modifiedAt: (item.LastModified ?? new Date(0)).toISOString(),
    }));
    return { objects, hasMore: answer.IsTruncated ?? false };
  }

  async delete(key: string): Promise<void> {
    assertObjectKey(key);
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
  }

  async copy({ from, to }: { from: string; to: string }): Promise<ObjectHead> {
    assertObjectKey(to);
    const source = await this.head(from);
    if (source.sizeBytes > COPY_BYTES_MAX) {
      await this.put(to, (await this.get(from)).body);
    } else {
      const copySource = `${this.bucket}/${from}`;
      await this.client
        .send(new CopyObjectCommand({ Bucket: this.bucket, Key: to, CopySource: copySource }))
        .catch(mapMissing(from));
    }
    return this.head(to);
  }

  async presignGet(key: string, options: PresignOptions): Promise<string> {
    assertObjectKey(key);
    const disposition = options.fileName === undefined ? 'attachment' : attachment(options.fileName);
    const command = new GetObjectCommand({
      Bucket: this.bucket,
      Key: key,
      ResponseContentDisposition: disposition,
      ...(options.contentType !== undefined && { ResponseContentType: options.contentType }),
    });
    return getSignedUrl(this.client, command, { expiresIn: options.expiresInSeconds });
  }

  async presignPut(key: string, options: PresignOptions): Promise<string> {
    assertObjectKey(key);
    const command = new PutObjectCommand({ Bucket: this.bucket, Key: key });
    return getSignedUrl(this.client, command, { expiresIn: options.expiresInSeconds });
  }

  private async putBuffer(target: Target, body: Buffer, meter: DigestMeter): Promise<string> {
    meter.update(body);
    const answer = await this.client.send(new PutObjectCommand({ ...target, Body: body }));
    return answer.ETag ?? '';
  }

  /** In one call if it is small, and else in parts: one is sent while the next is filled. */
  private async putStream(target: Target, body: Readable, meter: DigestMeter): Promise<string> {
    let upload: MultipartUpload | undefined;
    let sending: Promise<unknown> = Promise.resolve();
    try {
      for await (const { bytes, isLast } of inParts(body, PART_BYTES)) {
        if (isLast && !upload) return await this.putBuffer(target, bytes, meter);
        meter.update(bytes);
        upload ??= await this.createUpload(target);
        await sending;
        sending = this.sendPart(target, upload, bytes);
        // Nobody needs to wait for the rest of a body that cannot be stored.
        sending.catch((error: Error) => body.destroy(error));
      }
      await sending;
      return await this.completeUpload(target, upload!);
    } catch (error) {
      // A part that arrives after the end of its upload would stay.
      await sending.catch(() => undefined);
      if (upload) await this.abortUpload(target, upload).catch(() => undefined);
      throw error;
    }
  }

  private async createUpload({ IfNoneMatch: _onlyAtTheEnd, ...target }: Target): Promise<MultipartUpload> {
    const { UploadId } = await this.client.send(new CreateMultipartUploadCommand(target));
    return { UploadId, parts: [] };
  }

  private async sendPart({ Bucket, Key }: Target, { UploadId, parts }: MultipartUpload, Body: Buffer): Promise<void> {
    const PartNumber = parts.length + 1;
    const { ETag } = await this.client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    parts.push({ PartNumber, ETag });
  }

  private async completeUpload(
    { Bucket, Key, IfNoneMatch }: Target,
    { UploadId, parts: Parts }: MultipartUpload,
  ): Promise<string> {
    const command = { Bucket, Key, UploadId, MultipartUpload: { Parts }, IfNoneMatch };
    const { ETag } = await this.client.send(new CompleteMultipartUploadCommand(command));
    return ETag ?? '';
  }

  private async abortUpload({ Bucket, Key }: Target, { UploadId }: MultipartUpload): Promise<void> {
    await this.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
}

type Target = Pick<PutObjectCommandInput, 'Bucket' | 'Key' | 'ContentType' | 'IfNoneMatch'>;

interface MultipartUpload {
  readonly UploadId: string | undefined;
  readonly parts: CompletedPart[];
}

function headOf(
  key: string,
  answer: Pick<GetObjectCommandOutput, 'ContentLength' | 'ETag' | 'LastModified'>,
): ObjectHead {
  return {
    key,
    sizeBytes: answer.ContentLength ?? 0,
    etag: answer.ETag ?? '',
    modifiedAt: (answer.LastModified ?? new Date(0)).toISOString(),
  };
}

/** A `Content-Disposition` that saves and never shows; the name as RFC 6266 spells any. */
export function attachment(fileName: string): string {
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename*=UTF-8''${encoded}`;
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

function mapMissing(key: string): (error: unknown) => never {
  return (error) => {
    throw statusOf(error) === 404 ? objectNotFound(key) : error;
  };
}

function ignoreOwnBucket(error: unknown): void {
  // Another process made it in the same moment.
  if ((error as { name?: string }).name !== 'BucketAlreadyOwnedByYou') throw error;
}
