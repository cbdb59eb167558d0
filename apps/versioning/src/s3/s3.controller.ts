import { Readable } from 'node:stream';
import { Controller, Delete, Get, Head, HttpCode, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from '@mledger/service-kit';
import { Repositories, type Repository } from '../repository/repositories';
import { noSuchBucket, notSupported, s3Error } from './s3-errors';
import { keptAlive } from './kept-alive';
import { S3Listing } from './s3-listing';
import { S3Multipart } from './s3-multipart';
import { S3Objects } from './s3-objects';
import { s3Request, type S3Request } from './s3-request';
import { xmlDocument } from './xml';

const REGION = 'us-east-1';
const BUCKETS_MAX = 10_000;
/** Clients wait a minute for the next byte. */
const BLANK_EVERY_MS = 10_000;

/** Parts of S3 that hang on a bucket or an object and are known by a query parameter; those here are nobody's yet. */
const FOREIGN = [
  'accelerate',
  'acl',
  'analytics',
  'attributes',
  'cors',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'logging',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'torrent',
  'versions',
  'website',
];

/** S3 for whoever signs as AWS does: a repository is a bucket, a key begins with a ref. The edge puts its requests under this path. */
@Controller('.s3')
export class S3Controller {
  constructor(
    private readonly repositories: Repositories,
    private readonly listing: S3Listing,
    private readonly objects: S3Objects,
    private readonly multipart: S3Multipart,
  ) {}

  @Head(['/', '*'])
  async head(@Req() fastifyRequest: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const request = s3Request(fastifyRequest);
    if (request.bucket === '') throw notSupported();
    const repository = await this.repositoryOf(request);
    if (request.key !== '') return this.objects.get(request, repository, reply);
    await reply.header('x-amz-bucket-region', REGION).send();
  }

  @Get(['/', '*'])
  async get(@Req() fastifyRequest: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const request = s3Request(fastifyRequest);
    refuseForeign(request);
    if (request.bucket === '') return sendXml(reply, await this.buckets(request));
    const repository = await this.repositoryOf(request);
    const { query } = request;
    if (request.key !== '') {
      if (query.has('uploadId')) return sendXml(reply, await this.multipart.listParts(request, repository));
      if (query.has('tagging')) return sendXml(reply, xmlDocument('Tagging', { TagSet: '' }));
      return this.objects.get(request, repository, reply);
    }
    if (query.has('location')) return sendXml(reply, xmlDocument('LocationConstraint', {}));
    if (query.has('versioning')) return sendXml(reply, xmlDocument('VersioningConfiguration', {}));
    if (query.has('uploads')) return sendXml(reply, await this.multipart.listUploads(request, repository));
    if (query.has('tagging')) throw notSupported();
    return sendXml(reply, await this.listing.list(repository, query));
  }

  @Put(['/', '*'])
  async put(@Req() fastifyRequest: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const request = s3Request(fastifyRequest);
    refuseForeign(request);
    if (request.bucket === '' || request.query.has('tagging')) throw notSupported();
    if (request.key === '') return this.createBucket(request);
    const repository = await this.repositoryOf(request);
    const isCopy = request.headers['x-amz-copy-source'] !== undefined;
    if (!request.query.has('uploadId')) {
      if (!isCopy) return this.objects.put(request, repository, reply);
      return sendSlowXml(reply, this.objects.copy(request, repository));
    }
    if (isCopy) return sendSlowXml(reply, this.multipart.copyPart(request, repository));
    await reply.header('etag', `"${await this.multipart.putPart(request, repository)}"`).send();
  }

  /** 200 whatever it makes: minio's clients take no other status for an answer. */
  @Post(['/', '*'])
  @HttpCode(200)
  async post(@Req() fastifyRequest: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const request = s3Request(fastifyRequest);
    refuseForeign(request);
    const { query, key, bucket } = request;
    if (bucket === '') throw notSupported();
    const repository = await this.repositoryOf(request);
    if (key === '' && query.has('delete')) return sendXml(reply, await this.objects.deleteMany(request, repository));
    if (key !== '' && query.has('uploads')) return sendXml(reply, await this.multipart.create(request, repository));
    if (key !== '' && query.has('uploadId')) return sendSlowXml(reply, this.multipart.complete(request, repository));
    throw notSupported();
  }

  @Delete(['/', '*'])
  async delete(@Req() fastifyRequest: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const request = s3Request(fastifyRequest);
    refuseForeign(request);
    if (request.key === '' || request.query.has('tagging')) throw notSupported();
    const repository = await this.repositoryOf(request);
    if (!request.query.has('uploadId')) return this.objects.delete(request, repository, reply);
    await this.multipart.abort(request, repository);
    await reply.status(204).send();
  }

  private async buckets({ caller, query }: S3Request): Promise<string> {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const limit = Number(query.get('max-buckets') ?? BUCKETS_MAX);
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= BUCKETS_MAX)) {
      throw s3Error(400, 'InvalidArgument', `max-buckets is not between 1 and ${BUCKETS_MAX}`);
    }
    const { items, hasMore } = await this.repositories.list(caller.tenant, { prefix, after, limit });
    return xmlDocument('ListAllMyBucketsResult', {
      Owner: { ID: caller.tenant, DisplayName: caller.tenant },
      Buckets: { Bucket: items.map(({ name, createdAt }) => ({ Name: name, CreationDate: createdAt })) },
      Prefix: prefix === '' ? undefined : prefix,
      ContinuationToken: hasMore ? items.at(-1)?.name : undefined,
    });
  }

  /** A repository wants more than a name; lakeFS refuses it here too. */
  private async createBucket({ caller, bucket }: S3Request): Promise<never> {
    if (await this.repositories.find(caller.tenant, bucket)) {
      throw s3Error(409, 'BucketAlreadyExists', 'The requested bucket name is not available.');
    }
    throw s3Error(501, 'NotImplemented', 'A repository is created through the lakeFS API, not as a bucket.');
  }

  private async repositoryOf({ caller, bucket, key }: S3Request): Promise<Repository> {
    const repository = await this.repositories.find(caller.tenant, bucket);
    if (repository) return repository;
    // A client whose endpoint is the REST API's address asks for a bucket named api.
    if (bucket !== 'api' || !key.startsWith('v1')) throw noSuchBucket();
    const hint = 'this can happen if your endpoint URL mistakenly ends in "/api/v1".';
    throw s3Error(404, 'ErrNoSuchBucketPossibleAPIEndpoint', `Repository "api" not found; ${hint}`);
  }
}

function refuseForeign({ query }: S3Request): void {
  if (FOREIGN.some((name) => query.has(name))) throw notSupported();
}

/** Of what copies bytes, which takes as long as there are many. */
async function sendSlowXml(reply: FastifyReply, document: Promise<string>): Promise<void> {
  const answer = await keptAlive(document, BLANK_EVERY_MS);
  await reply.type('application/xml').send(typeof answer === 'string' ? answer : Readable.from(answer));
}

async function sendXml(reply: FastifyReply, document: string): Promise<void> {
  await reply.type('application/xml').send(document);
}
