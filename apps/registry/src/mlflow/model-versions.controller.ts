import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { ModelQueries, type FoundVersionRow } from '../projections/model-queries';
import type { RegisteredModelCommand } from '../registered-model/registered-model';
import { RegisteredModelHandler } from '../registered-model/registered-model.handler';
import { versionAnswer } from './registry.answers';
import * as schemas from './registry.schemas';
import { page, searchTerms, VERSION_SEARCH } from './search-request';

/** `model-versions/*` of MLflow's REST API. */
@Controller(['api/2.0/mlflow/model-versions', 'ajax-api/2.0/mlflow/model-versions'])
export class ModelVersionsController {
  constructor(
    private readonly models: RegisteredModelHandler,
    private readonly queries: ModelQueries,
  ) {}

  @Post('create')
  @HttpCode(200)
  async create(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, source, run_id, model_id, run_link, description, tags } = parse(schemas.createVersion, body);
    const version = { source, runId: run_id, loggedModelId: model_id, runLink: run_link, tags };
    const context = commandContext(caller);
    const number = await this.models.createVersion(name, { ...version, description: description ?? '' }, context);
    return this.answer(caller, name, number);
  }

  @Patch('update')
  async update(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, version, description } = parse(schemas.updateVersion, body);
    await this.issue(name, { type: 'DescribeVersion', version, description: description ?? '' }, caller);
    return this.answer(caller, name, version);
  }

  @Post('transition-stage')
  @HttpCode(200)
  async transitionStage(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, version, stage, archive_existing_versions: archiveExisting } = parse(schemas.transitionStage, body);
    await this.issue(name, { type: 'TransitionStage', version, stage, archiveExisting }, caller);
    return this.answer(caller, name, version);
  }

  @Delete('delete')
  async delete(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, version } = parse(schemas.byVersion, body);
    return this.issue(name, { type: 'DeleteVersion', version }, caller);
  }

  @Get('get')
  async get(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, version } = parse(schemas.byVersion, query, 'query');
    return this.answer(caller, name, version);
  }

  @Get('get-download-uri')
  async downloadUri(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, version } = parse(schemas.byVersion, query, 'query');
    const { artifactLocation } = await this.version(caller, name, version);
    return { artifact_uri: artifactLocation };
  }

  @Get('search')
  async search(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const terms = searchTerms(parse(schemas.searchVersions, query, 'query'), VERSION_SEARCH);
    const { rows, ...next } = page(await this.queries.searchVersions(caller.tenant, terms), terms);
    return { model_versions: rows.map(versionAnswer), ...next };
  }

  @Post('set-tag')
  @HttpCode(200)
  async setTag(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, version, key, value } = parse(schemas.setVersionTag, body);
    return this.issue(name, { type: 'TagVersion', version, key, value: value ?? '' }, caller);
  }

  @Delete('delete-tag')
  async deleteTag(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, version, key } = parse(schemas.deleteVersionTag, body);
    return this.issue(name, { type: 'UntagVersion', version, key }, caller);
  }

  private async issue(name: string, command: RegisteredModelCommand, caller: Caller): Promise<object> {
    await this.models.issue(name, command, commandContext(caller));
    return {};
  }

  private async answer(caller: Caller, name: string, version: number): Promise<object> {
    return { model_version: versionAnswer(await this.version(caller, name, version)) };
  }

  private async version(caller: Caller, name: string, version: number): Promise<FoundVersionRow> {
    const row = await this.queries.version(caller.tenant, name, version);
    if (row === undefined) throw ApiError.notFound(`Model Version (name=${name}, version=${version}) not found`);
    return row;
  }
}
