import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { CommandRefused } from '@mledger/event-log';
import { ApiError, Caller, commandContext, parse, type FastifyReply } from '@mledger/service-kit';
import { CommitHandler } from '../commit/commit.handler';
import { CommitLog } from '../commit/commit-log';
import { Diffs } from '../diff/diffs';
import { MERGE_CONFLICT, MergeHandler } from '../merge/merge.handler';
import { Refs } from '../refs/refs';
import { refNotFound } from '../repository/refusals';
import { commitAnswer, diffAnswer, pageAnswer } from './answers';
import { Located } from './context';
import * as requests from './requests';

@Controller('api/v1/repositories/:repository')
export class CommitsController {
  constructor(
    private readonly located: Located,
    private readonly refs: Refs,
    private readonly commits: CommitHandler,
    private readonly log: CommitLog,
    private readonly diffs: Diffs,
  ) {}

  @Post('branches/:branch/commits')
  async commit(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Body() body: unknown,
    @Caller() caller: Caller,
  ): Promise<object> {
    const { source_metarange: sourceMetarange } = parse(requests.commitQuery, query, 'query');
    if (sourceMetarange !== undefined) throw ApiError.notImplemented();
    const { date: createdAtSeconds, allow_empty: allowEmpty, ...terms } = parse(requests.commit, body);
    const key = await this.located.branch(caller, name, branch);
    const request = { ...terms, allowEmpty, ...(createdAtSeconds !== undefined && { createdAtSeconds }) };
    return commitAnswer(await this.commits.commit(key, request, commandContext(caller)));
  }

  @Get('commits/:commitId')
  async get(@Param('repository') name: string, @Param('commitId') ref: string, @Caller() caller: Caller) {
    const repository = await this.located.repository(caller, name);
    return commitAnswer(await this.refs.commitOf(repository, ref));
  }

  @Get('refs/:ref/commits')
  async history(
    @Param('repository') name: string,
    @Param('ref') ref: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<object> {
    const terms = parse(requests.logQuery, query, 'query');
    const repository = await this.located.repository(caller, name);
    const { items, hasMore } = await this.log.page(repository, ref, {
      after: terms.after,
      limit: terms.amount,
      firstParent: terms.first_parent,
      paths: terms.objects,
      prefixes: terms.prefixes,
      ...(terms.since !== undefined && { sinceSeconds: Math.floor(Date.parse(terms.since) / 1000) }),
      ...(terms.stop_at !== undefined && { stopAt: terms.stop_at }),
    });
    // With `limit` the caller says that it wants no more pages than this one.
    return pageAnswer(items.map(commitAnswer), { hasMore: hasMore && !terms.limit, lastKey: items.at(-1)?.id });
  }

  @Get('refs/:left/diff/:right')
  async diff(
    @Param('repository') name: string,
    @Param('left') left: string,
    @Param('right') right: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<object> {
    const { amount: limit, type, ...terms } = parse(requests.diffQuery, query, 'query');
    const repository = await this.located.repository(caller, name);
    const { items, hasMore } =
      type === 'two_dot'
        ? await this.diffs.twoDot(repository, { left, right }, { ...terms, limit })
        : await this.diffs.threeDot(repository, { left, right }, { ...terms, limit });
    const answers = items.map((item) => diffAnswer(item, { rightStats: terms.include_right_stats }));
    return pageAnswer(answers, { hasMore, lastKey: items.at(-1)?.path });
  }
}

@Controller('api/v1/repositories/:repository')
export class MergesController {
  constructor(
    private readonly located: Located,
    private readonly refs: Refs,
    private readonly diffs: Diffs,
    private readonly merges: MergeHandler,
  ) {}

  @Get('refs/:source/merge/:destination')
  async base(
    @Param('repository') name: string,
    @Param('source') source: string,
    @Param('destination') destination: string,
    @Caller() caller: Caller,
  ): Promise<object> {
    const repository = await this.located.repository(caller, name);
    const from = await this.refs.commitOf(repository, source);
    const to = await this.refs.commitOf(repository, destination);
    const base = await this.diffs.baseOf(repository, from, to);
    if (!base) throw refNotFound();
    return { source_commit_id: from.id, destination_commit_id: to.id, base_commit_id: base.id };
  }

  @Post('refs/:source/merge/:destination')
  @HttpCode(200)
  async merge(
    @Param('repository') name: string,
    @Param('source') source: string,
    @Param('destination') destination: string,
    @Body() body: unknown,
    @Caller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const terms = parse(requests.merge, body);
    const { strategy, squash_merge: squash, allow_empty: allowEmpty, ...others } = terms;
    const key = await this.located.branch(caller, name, destination);
    const request = { ...others, source, squash, allowEmpty, strategy: strategy || 'default' } as const;
    try {
      return { reference: (await this.merges.merge(key, request, commandContext(caller))).id };
    } catch (error) {
      // lakeFS answers a conflict with this body and no message, and its clients read it.
      if (!(error instanceof CommandRefused) || error.refusal.code !== MERGE_CONFLICT) throw error;
      void reply.status(409);
      return { reference: '' };
    }
  }

  @Post('branches/:branch/revert')
  @HttpCode(204)
  async revert(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Body() body: unknown,
    @Caller() caller: Caller,
  ): Promise<void> {
    const request = pickRequest(parse(requests.revert, body));
    await this.merges.revert(await this.located.branch(caller, name, branch), request, commandContext(caller));
  }

  @Post('branches/:branch/cherry-pick')
  async cherryPick(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Body() body: unknown,
    @Caller() caller: Caller,
  ): Promise<object> {
    const request = pickRequest(parse(requests.cherryPick, body));
    const key = await this.located.branch(caller, name, branch);
    return commitAnswer(await this.merges.cherryPick(key, request, commandContext(caller)));
  }
}

function pickRequest(terms: ReturnType<typeof requests.revert.parse>) {
  const { ref, parent_number: parentNumber, commit_overrides: overrides, allow_empty: allowEmpty, force } = terms;
  return { ref, parentNumber, ...overrides, allowEmpty, force };
}
