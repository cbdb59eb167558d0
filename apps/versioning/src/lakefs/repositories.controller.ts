import { createHash } from 'node:crypto';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse, type FastifyReply } from '@mledger/service-kit';
import { refused } from '../repository/refusals';
import { assertNotReadOnly, Repositories } from '../repository/repositories';
import { RepositoryHandler } from '../repository/repository.handler';
import { pageAnswer, repositoryAnswer } from './answers';
import { Located } from './context';
import * as requests from './requests';

@Controller('api/v1/repositories')
export class RepositoriesController {
  constructor(
    private readonly located: Located,
    private readonly repositories: Repositories,
    private readonly handler: RepositoryHandler,
  ) {}

  @Get()
  async list(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { amount: limit, ...terms } = parse(requests.repositoriesQuery, query, 'query');
    const { items, hasMore } = await this.repositories.list(caller.tenant, { ...terms, limit });
    return pageAnswer(items.map(repositoryAnswer), { hasMore, lastKey: items.at(-1)?.name });
  }

  @Post()
  async create(@Body() body: unknown, @Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { bare } = parse(requests.createRepositoryQuery, query, 'query');
    const create = parse(requests.createRepository, body);
    if (bare || create.sample_data) throw ApiError.notImplemented();
    const { name, storage_namespace: storageNamespace, default_branch: defaultBranch, read_only: readOnly } = create;
    const terms = { name, storageNamespace, defaultBranch, readOnly };
    return repositoryAnswer(await this.handler.create(terms, commandContext(caller)));
  }

  @Get(':repository')
  async get(@Param('repository') name: string, @Caller() caller: Caller): Promise<object> {
    return repositoryAnswer(await this.located.repository(caller, name));
  }

  @Delete(':repository')
  @HttpCode(204)
  async delete(@Param('repository') name: string, @Query() query: unknown, @Caller() caller: Caller): Promise<void> {
    const { force } = parse(requests.forceQuery, query, 'query');
    const repository = await this.located.repository(caller, name);
    assertNotReadOnly(repository, { force });
    await this.handler.delete(repository, commandContext(caller));
  }

  @Get(':repository/metadata')
  async metadata(@Param('repository') name: string, @Caller() caller: Caller): Promise<object> {
    return (await this.located.repository(caller, name)).metadata;
  }

  @Post(':repository/metadata')
  @HttpCode(204)
  async setMetadata(@Param('repository') name: string, @Body() body: unknown, @Caller() caller: Caller): Promise<void> {
    const { metadata } = parse(requests.setMetadata, body);
    const repository = await this.located.repository(caller, name);
    await this.handler.change(repository, { type: 'SetMetadata', metadata }, commandContext(caller));
  }

  @Delete(':repository/metadata')
  @HttpCode(204)
  async removeMetadata(@Param('repository') name: string, @Body() body: unknown, @Caller() caller: Caller) {
    const { keys } = parse(requests.removeMetadata, body);
    const repository = await this.located.repository(caller, name);
    await this.handler.change(repository, { type: 'RemoveMetadata', keys }, commandContext(caller));
  }

  @Get(':repository/settings/branch_protection')
  async branchProtection(
    @Param('repository') name: string,
    @Caller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const { protectedPatterns } = await this.located.repository(caller, name);
    void reply.header('etag', etagOf(protectedPatterns));
    return protectedPatterns.map((pattern) => ({ pattern }));
  }

  @Put(':repository/settings/branch_protection')
  @HttpCode(204)
  async replaceBranchProtection(
    @Param('repository') name: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
    @Caller() caller: Caller,
  ): Promise<void> {
    const patterns = parse(requests.branchProtection, body).map(({ pattern }) => pattern);
    const repository = await this.located.repository(caller, name);
    const { protectedPatterns } = repository;
    if (ifMatch !== undefined && ifMatch.replaceAll('"', '') !== etagOf(protectedPatterns)) {
      throw refused('precondition', 'PROTECTION_CHANGED', 'the rules have changed since: read them again');
    }
    const expected = ifMatch === undefined ? {} : { expectedPatterns: protectedPatterns };
    const change = { type: 'ReplaceBranchProtection', patterns, ...expected } as const;
    await this.handler.change(repository, change, commandContext(caller));
  }

  /** Hooks are not run, so no run of one can be listed. */
  @Get(':repository/actions/runs')
  async actionRuns(@Param('repository') name: string, @Caller() caller: Caller): Promise<object> {
    await this.located.repository(caller, name);
    return pageAnswer([], { hasMore: false, lastKey: undefined });
  }
}

/** lakeFS gives none while no rule was ever set. */
function etagOf(patterns: readonly string[]): string {
  if (patterns.length === 0) return '';
  return createHash('sha256').update(JSON.stringify(patterns)).digest('hex');
}
