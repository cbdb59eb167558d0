import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { Caller, commandContext, parse } from '@mledger/service-kit';
import { Diffs } from '../diff/diffs';
import { RefHandler } from '../refs/ref.handler';
import { Refs } from '../refs/refs';
import { branchNotFound, tagNotFound } from '../repository/refusals';
import { diffAnswer, pageAnswer, refAnswer } from './answers';
import { Located } from './context';
import * as requests from './requests';

@Controller('api/v1/repositories/:repository')
export class BranchesController {
  constructor(
    private readonly located: Located,
    private readonly refs: Refs,
    private readonly handler: RefHandler,
    private readonly diffs: Diffs,
  ) {}

  @Get('branches')
  async listBranches(@Param('repository') name: string, @Query() query: unknown, @Caller() caller: Caller) {
    const { amount: limit, show_hidden: showHidden, ...terms } = parse(requests.branchesQuery, query, 'query');
    const repository = await this.located.repository(caller, name);
    const { items, hasMore } = await this.refs.listBranches(repository, { ...terms, limit, showHidden });
    return pageAnswer(items.map(refAnswer), { hasMore, lastKey: items.at(-1)?.name });
  }

  /** The answer is the commit's id as plain text, which is what lakeFS gives and its clients expect. */
  @Post('branches')
  @Header('content-type', 'text/html')
  async createBranch(@Param('repository') name: string, @Body() body: unknown, @Caller() caller: Caller) {
    const { name: branch, ...terms } = parse(requests.createBranch, body);
    const key = await this.located.branch(caller, name, branch);
    return this.handler.createBranch(key, terms, commandContext(caller));
  }

  @Get('branches/:branch')
  async getBranch(@Param('repository') name: string, @Param('branch') branch: string, @Caller() caller: Caller) {
    const found = await this.refs.findBranch(await this.located.repository(caller, name), branch);
    if (!found) throw branchNotFound();
    return refAnswer(found);
  }

  @Delete('branches/:branch')
  @HttpCode(204)
  async deleteBranch(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<void> {
    const terms = parse(requests.forceQuery, query, 'query');
    await this.handler.deleteBranch(await this.located.branch(caller, name, branch), terms, commandContext(caller));
  }

  @Put('branches/:branch')
  @HttpCode(204)
  async reset(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Body() body: unknown,
    @Caller() caller: Caller,
  ): Promise<void> {
    const what = parse(requests.resetBranch, body);
    await this.handler.resetStaged(await this.located.branch(caller, name, branch), what);
  }

  @Put('branches/:branch/hard_reset')
  @HttpCode(204)
  async hardReset(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<void> {
    const terms = parse(requests.hardResetQuery, query, 'query');
    await this.handler.resetHard(await this.located.branch(caller, name, branch), terms, commandContext(caller));
  }

  @Get('branches/:branch/diff')
  async diff(
    @Param('repository') name: string,
    @Param('branch') branch: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<object> {
    const { amount: limit, ...terms } = parse(requests.diffQuery, query, 'query');
    const key = await this.located.branch(caller, name, branch);
    const { items, hasMore } = await this.diffs.ofBranch(key, { ...terms, limit });
    const answers = items.map((item) => diffAnswer(item, { rightStats: terms.include_right_stats }));
    return pageAnswer(answers, { hasMore, lastKey: items.at(-1)?.path });
  }

  @Get('tags')
  async listTags(@Param('repository') name: string, @Query() query: unknown, @Caller() caller: Caller) {
    const { amount: limit, ...terms } = parse(requests.pageQuery, query, 'query');
    const repository = await this.located.repository(caller, name);
    const { items, hasMore } = await this.refs.listTags(repository, { ...terms, limit });
    return pageAnswer(items.map(refAnswer), { hasMore, lastKey: items.at(-1)?.name });
  }

  @Post('tags')
  async createTag(@Param('repository') name: string, @Body() body: unknown, @Caller() caller: Caller) {
    const { id: tag, ...terms } = parse(requests.createTag, body);
    const repository = await this.located.repository(caller, name);
    const commitId = await this.handler.createTag(repository, { tag, ...terms }, commandContext(caller));
    return refAnswer({ name: tag, commitId });
  }

  @Get('tags/:tag')
  async getTag(@Param('repository') name: string, @Param('tag') tag: string, @Caller() caller: Caller) {
    const found = await this.refs.findTag(await this.located.repository(caller, name), tag);
    if (!found) throw tagNotFound();
    return refAnswer(found);
  }

  @Delete('tags/:tag')
  @HttpCode(204)
  async deleteTag(
    @Param('repository') name: string,
    @Param('tag') tag: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<void> {
    const terms = parse(requests.forceQuery, query, 'query');
    await this.handler.deleteTag(await this.located.repository(caller, name), tag, terms, commandContext(caller));
  }
}
