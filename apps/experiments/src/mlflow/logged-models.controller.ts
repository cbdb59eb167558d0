import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiError, Caller, commandContext, parse, type FastifyReply } from '@mledger/service-kit';
import { ArtifactHandler } from '../artifact/artifact.handler';
import { safePath, type ArtifactAddress } from '../artifact/artifact-path';
import type { LoggedModelCommand, LoggedModelStatus } from '../logged-model/logged-model';
import { LoggedModelHandler } from '../logged-model/logged-model.handler';
import { LoggedModelQueries, type LoggedModelView } from '../queries/logged-model.queries';
import { fileAnswer, loggedModelAnswer } from './answers';
import { DefaultExperiment } from './default-experiment.interceptor';
import { sendArtifact } from './artifact-download';
import * as schemas from './logged-model.schemas';

const STATUS = {
  LOGGED_MODEL_PENDING: 'PENDING',
  LOGGED_MODEL_READY: 'READY',
  LOGGED_MODEL_UPLOAD_FAILED: 'UPLOAD_FAILED',
} as const satisfies Record<string, LoggedModelStatus>;

/** `logged-models/*` of MLflow's REST API. */
@Controller(['api/2.0/mlflow/logged-models', 'ajax-api/2.0/mlflow/logged-models'])
@UseInterceptors(DefaultExperiment)
export class LoggedModelsController {
  constructor(
    private readonly models: LoggedModelHandler,
    private readonly queries: LoggedModelQueries,
    private readonly artifacts: ArtifactHandler,
  ) {}

  @Post()
  @HttpCode(200)
  async create(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const message = parse(schemas.createLoggedModel, body);
    const { name, params, tags } = message;
    const source = { experimentId: message.experiment_id, sourceRunId: message.source_run_id };
    const input = { ...source, name, modelType: message.model_type, params, tags };
    return this.answer(caller, await this.models.create(input, commandContext(caller)));
  }

  @Post('search')
  @HttpCode(200)
  async search(@Body() body: unknown, @Caller() { tenant }: Caller): Promise<object> {
    const message = parse(schemas.search, body);
    const { items, nextPageToken } = await this.queries.search({
      tenant,
      experimentIds: message.experiment_ids,
      filter: message.filter,
      datasets: message.datasets.map(datasetOf),
      orderBy: message.order_by.map(({ field_name: field, ascending, dataset_name: name, dataset_digest: digest }) => ({
        field,
        ascending: ascending ?? true,
        ...(name !== undefined && { dataset: { name, digest } }),
      })),
      maxResults: message.max_results,
      pageToken: message.page_token,
    });
    return { models: items.map(loggedModelAnswer), ...(nextPageToken && { next_page_token: nextPageToken }) };
  }

  @Get(':modelId')
  async get(@Param() params: unknown, @Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { modelId } = parse(schemas.byModel, params, 'path');
    const { allow_deleted: allowDeleted } = parse(schemas.getQuery, query, 'query');
    return { model: loggedModelAnswer(await this.model(caller, modelId, allowDeleted?.toLowerCase() === 'true')) };
  }

  @Patch(':modelId')
  async finalize(@Param() params: unknown, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { modelId } = parse(schemas.byModel, params, 'path');
    const { status } = parse(schemas.finalize, body);
    await this.issue({ type: 'FinalizeLoggedModel', modelId, status: STATUS[status] }, caller);
    return this.answer(caller, modelId);
  }

  @Delete(':modelId')
  async delete(@Param() params: unknown, @Caller() caller: Caller): Promise<object> {
    const { modelId } = parse(schemas.byModel, params, 'path');
    return this.issue({ type: 'DeleteLoggedModel', modelId }, caller);
  }

  @Post(':modelId/params')
  @HttpCode(200)
  async logParams(@Param() path: unknown, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { modelId } = parse(schemas.byModel, path, 'path');
    const { params } = parse(schemas.logParams, body);
    return this.issue({ type: 'LogModelParams', modelId, params }, caller);
  }

  @Patch(':modelId/tags')
  async setTags(@Param() params: unknown, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { modelId } = parse(schemas.byModel, params, 'path');
    const { tags } = parse(schemas.setTags, body);
    await this.issue({ type: 'TagLoggedModel', modelId, tags }, caller);
    return this.answer(caller, modelId);
  }

  @Delete(':modelId/tags/*')
  async deleteTag(@Param() params: unknown, @Caller() caller: Caller): Promise<object> {
    const { modelId, '*': key } = parse(schemas.modelTag, params, 'path');
    return this.issue({ type: 'RemoveLoggedModelTag', modelId, key }, caller);
  }

  @Get(':modelId/artifacts/directories')
  async listArtifacts(@Param() params: unknown, @Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { modelId } = parse(schemas.byModel, params, 'path');
    const { artifact_directory_path: folder } = parse(schemas.listArtifacts, query, 'query');
    const model = await this.model(caller, modelId);
    const path = folder === undefined ? '' : safePath(folder);
    const entries = await this.artifacts.list(caller.tenant, addressIn(model, path));
    return { root_uri: model.artifact_location, files: entries.map((entry) => fileAnswer(entry, path)) };
  }

  @Get(':modelId/artifacts/files')
  async artifactFile(
    @Param() params: unknown,
    @Query() query: unknown,
    @Caller() caller: Caller,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { modelId } = parse(schemas.byModel, params, 'path');
    const { artifact_file_path: path } = parse(schemas.artifactFile, query, 'query');
    const address = addressIn(await this.model(caller, modelId), safePath(path));
    await sendArtifact(reply, path, (range) => this.artifacts.open(caller.tenant, address, range));
  }

  private async issue(command: LoggedModelCommand, caller: Caller): Promise<object> {
    await this.models.issue(command, commandContext(caller));
    return {};
  }

  private async answer(caller: Caller, modelId: string): Promise<object> {
    return { model: loggedModelAnswer(await this.model(caller, modelId)) };
  }

  private async model({ tenant }: Caller, modelId: string, allowDeleted = false): Promise<LoggedModelView> {
    const model = await this.queries.find(tenant, modelId);
    if (!model || (model.deleted && !allowDeleted))
      throw ApiError.notFound(`Logged model with ID '${modelId}' not found.`);
    return model;
  }
}

function addressIn(model: LoggedModelView, path: string): ArtifactAddress {
  return { experimentId: model.experiment_id, ownerKind: 'logged-model', ownerId: model.model_id, path };
}

function datasetOf({ dataset_name: name, dataset_digest: digest }: { dataset_name: string; dataset_digest?: string }) {
  return { name, digest };
}
