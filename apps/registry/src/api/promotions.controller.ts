import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { PromotionQueries, type Promotion } from '../projections/promotion-queries';
import { PromotionHandler } from '../registered-model/promotion.handler';
import { RegisteredModelHandler } from '../registered-model/registered-model.handler';
import * as schemas from './promotions.schemas';

/** Policies, promotions and rollbacks: how a version comes to hold a protected alias. */
@Controller('api/mledger/v1')
export class PromotionsController {
  constructor(
    private readonly models: RegisteredModelHandler,
    private readonly promotions: PromotionHandler,
    private readonly queries: PromotionQueries,
  ) {}

  @Get('models/:name/policy')
  async policy(@Param('name') name: string, @Caller() caller: Caller): Promise<object> {
    const { state } = await this.models.find(caller.tenant, name);
    if (state.policy === null) throw ApiError.notFound(`${name} has no promotion policy: set one with PUT`);
    return { model: name, ...state.policy };
  }

  @Put('models/:name/policy')
  async setPolicy(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const policy = parse(schemas.policy, body);
    await this.models.issue(name, { type: 'SetPolicy', policy }, commandContext(caller));
    return { model: name, ...policy };
  }

  @Delete('models/:name/policy')
  @HttpCode(204)
  async removePolicy(@Param('name') name: string, @Caller() caller: Caller): Promise<void> {
    await this.models.issue(name, { type: 'RemovePolicy' }, commandContext(caller));
  }

  /** 201 whatever came of it: the request is on record, and `status` says promoted, pending or refused. */
  @Post('models/:name/promotions')
  async request(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller): Promise<Promotion> {
    const wish = parse(schemas.promotionRequest, body);
    return this.promotion(caller, await this.promotions.request(name, wish, commandContext(caller)));
  }

  @Get('models/:name/promotions')
  async list(@Param('name') name: string, @Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { limit, after, status } = parse(schemas.promotionsQuery, query, 'query');
    const { modelId } = await this.models.find(caller.tenant, name);
    const rows = await this.queries.promotions(caller.tenant, { modelId, status, after, limit });
    const promotions = rows.slice(0, limit);
    return { promotions, next: rows.length > limit ? promotions.at(-1)!.promotionId : null };
  }

  @Get('promotions/:id')
  async get(@Param('id') promotionId: string, @Caller() caller: Caller): Promise<Promotion> {
    return this.promotion(caller, promotionId);
  }

  @Post('promotions/:id/approve')
  @HttpCode(200)
  async approve(@Param('id') promotionId: string, @Body() body: unknown, @Caller() caller: Caller): Promise<Promotion> {
    const { comment } = parse(schemas.approval, body);
    await this.promotions.approve(promotionId, comment, commandContext(caller));
    return this.promotion(caller, promotionId);
  }

  @Post('promotions/:id/reject')
  @HttpCode(200)
  async reject(@Param('id') promotionId: string, @Body() body: unknown, @Caller() caller: Caller): Promise<Promotion> {
    const { reason } = parse(schemas.closing, body);
    await this.promotions.close('RejectPromotion', promotionId, reason, commandContext(caller));
    return this.promotion(caller, promotionId);
  }

  @Post('promotions/:id/withdraw')
  @HttpCode(200)
  async withdraw(
    @Param('id') promotionId: string,
    @Body() body: unknown,
    @Caller() caller: Caller,
  ): Promise<Promotion> {
    const { reason } = parse(schemas.closing, body);
    await this.promotions.close('WithdrawPromotion', promotionId, reason, commandContext(caller));
    return this.promotion(caller, promotionId);
  }

  @Post('models/:name/rollback')
  @HttpCode(200)
  async rollBack(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { alias, toVersion, reason } = parse(schemas.rollback, body);
    const command = { type: 'RollBack', alias, toVersion: toVersion ?? null, reason } as const;
    const { events } = await this.models.issue(name, command, commandContext(caller));
    const [rolledBack] = events;
    if (rolledBack?.type !== 'PromotionRolledBack') throw new Error(`the rollback of ${name} left no event`);
    const { fromVersion, toVersion: holder } = rolledBack.data;
    return { model: name, alias, fromVersion, toVersion: holder, reason, by: rolledBack.actor, at: rolledBack.time };
  }

  private async promotion(caller: Caller, promotionId: string): Promise<Promotion> {
    const promotion = await this.queries.promotion(caller.tenant, promotionId);
    if (promotion === undefined) throw ApiError.notFound(`There is no promotion ${promotionId}`);
    return promotion;
  }
}
