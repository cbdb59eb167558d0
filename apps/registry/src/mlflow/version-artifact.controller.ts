import { Controller, Get, Header, Inject, Query, StreamableFile } from '@nestjs/common';
import { attachment, ObjectStoreError, type ObjectBody, type ObjectStore } from '@mledger/object-store';
import { ApiError, Caller, OBJECT_STORE, parse } from '@mledger/service-kit';
import { ModelQueries } from '../projections/model-queries';
import * as schemas from './registry.schemas';

/** `/model-versions/get-artifact`: one file of a version, as MLflow's pages fetch it. */
@Controller('model-versions')
export class VersionArtifactController {
  constructor(
    private readonly queries: ModelQueries,
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
  ) {}

  /** The path is looked up among the version's files and never used as one. What was stored must not be a page of ours. */
  @Get('get-artifact')
  @Header('x-content-type-options', 'nosniff')
  @Header('content-security-policy', 'sandbox')
  async get(@Query() query: unknown, @Caller() { tenant }: Caller): Promise<StreamableFile> {
    const { name, version, path } = parse(schemas.versionArtifact, query, 'query');
    const file = await this.queries.file(tenant, { name, version, path });
    if (file === undefined) throw ApiError.notFound(`Version ${version} of ${name} has no file ${path}`);
    const { body, sizeBytes } = await this.open(file.objectKey, path);
    return new StreamableFile(body, {
      type: 'application/octet-stream',
      disposition: attachment(path.slice(path.lastIndexOf('/') + 1)),
      length: sizeBytes,
    });
  }

  private async open(objectKey: string, path: string): Promise<ObjectBody> {
    try {
      return await this.objects.get(objectKey);
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'not-found') throw error;
      throw ApiError.notFound(`The bytes of ${path} were deleted from their run`);
    }
  }
}
