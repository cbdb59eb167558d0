import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { ModelQueries, type FoundVersionRow } from '../projections/model-queries';
import type { RegisteredModelCommand } from '../registered-model/registered-model';
import { RegisteredModelHandler } from '../registered-model/registered-model.handler';
import { modelAnswer, versionAnswer } from './registry.answers';
import * as schemas from './registry.schemas';
import { MODEL_SEARCH, page, searchTerms } from './search-request';

const LATEST_ALIAS = 'latest';

/** `registered-models/*` of MLflow's REST API. */
@Controller(['api/2.0/mlflow/registered-models', 'ajax-api/2.0/mlflow/registered-models'])
export class RegisteredModelsController {
  constructor(
    private readonly models: RegisteredModelHandler,
    private readonly queries: ModelQueries,
  ) {}

  @Post('create')
  @HttpCode(200)
  async create(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, description, tags } = parse(schemas.createModel, body);
    await this.models.register({ name, description: description ?? '', tags }, commandContext(caller));
    return this.answer(caller, name);
  }

  @Post('rename')
  @HttpCode(200)
  async rename(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, new_name: toName } = parse(schemas.renameModel, body);
    await this.models.rename(name, toName, commandContext(caller));
    return this.answer(caller, toName);
  }

  @Patch('update')
  async update(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, description } = parse(schemas.updateModel, body);
    await this.issue(name, { type: 'DescribeModel', description: description ?? '' }, caller);
    return this.answer(caller, name);
  }

  @Delete('delete')
  async delete(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name } = parse(schemas.byName, body);
    await this.models.delete(name, commandContext(caller));
    return {};
  }

  @Get('get')
  async get(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { name } = parse(schemas.byName, query, 'query');
    return this.answer(caller, name);
  }

  @Get('search')
  async search(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const terms = searchTerms(parse(schemas.searchModels, query, 'query'), MODEL_SEARCH);
    const { rows, ...next } = page(await this.queries.searchModels(caller.tenant, terms), terms);
    const latest = await this.queries.latestVersions(
      caller.tenant,
      rows.map((row) => row.modelId),
    );
    const byModel = new Map(rows.map((row) => [row.modelId, [] as FoundVersionRow[]]));
    for (const version of latest) byModel.get(version.modelId)?.push(version);
    return { registered_models: rows.map((row) => modelAnswer(row, byModel.get(row.modelId) ?? [])), ...next };
  }

  @Get('get-latest-versions')
  async latestByQuery(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    return this.latest(parse(schemas.latestVersions, query, 'query'), caller);
  }

  @Post('get-latest-versions')
  @HttpCode(200)
  async latestByBody(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    return this.latest(parse(schemas.latestVersions, body), caller);
  }

  @Post('set-tag')
  @HttpCode(200)
  async setTag(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, key, value } = parse(schemas.setModelTag, body);
    return this.issue(name, { type: 'TagModel', key, value: value ?? '' }, caller);
  }

  @Delete('delete-tag')
  async deleteTag(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, key } = parse(schemas.deleteModelTag, body);
    return this.issue(name, { type: 'UntagModel', key }, caller);
  }

  @Post('alias')
  @HttpCode(200)
  async setAlias(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, alias, version } = parse(schemas.setAlias, body);
    return this.issue(name, { type: 'SetAlias', alias, version, reason: 'set through the MLflow API' }, caller);
  }

  @Delete('alias')
  async deleteAlias(@Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, alias } = parse(schemas.byAlias, body);
    return this.issue(name, { type: 'RemoveAlias', alias, reason: 'removed through the MLflow API' }, caller);
  }

  @Get('alias')
  async getByAlias(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { name, alias } = parse(schemas.byAlias, query, 'query');
    const { aliases, modelId } = await this.model(caller, name);
    if (alias.toLowerCase() === LATEST_ALIAS) {
      const latest = await this.queries.latestVersions(caller.tenant, [modelId]);
      if (latest.length === 0) throw ApiError.notFound(`Latest version not found for model ${name}.`);
      return { model_version: versionAnswer(latest.reduce(younger)) };
    }
    const version = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
    const row = version === undefined ? undefined : await this.queries.version(caller.tenant, name, version);
    // MLflow tells a missing alias as a bad parameter, and its client tells the two apart.
    if (row === undefined) throw ApiError.invalid(`Registered model alias ${alias} not found.`);
    return { model_version: versionAnswer(row) };
  }

  private async issue(name: string, command: RegisteredModelCommand, caller: Caller): Promise<object> {
    await this.models.issue(name, command, commandContext(caller));
    return {};
  }

  private async latest({ name, stages }: { name: string; stages: string[] }, caller: Caller): Promise<object> {
    const { modelId } = await this.model(caller, name);
    const latest = await this.queries.latestVersions(caller.tenant, [modelId]);
    const wanted = latest.filter((row) => stages.length === 0 || stages.includes(row.stage));
    return { model_versions: wanted.map(versionAnswer) };
  }

  private async answer(caller: Caller, name: string): Promise<object> {
    const row = await this.model(caller, name);
    const latest = await this.queries.latestVersions(caller.tenant, [row.modelId]);
    return { registered_model: modelAnswer(row, latest) };
  }

  private async model(caller: Caller, name: string) {
    const row = await this.queries.model(caller.tenant, name);
    if (row === undefined) throw ApiError.notFound(`Registered Model with name=${name} not found`);
    return row;
  }
}

function younger(one: FoundVersionRow, other: FoundVersionRow): FoundVersionRow {
  return one.version > other.version ? one : other;
}
