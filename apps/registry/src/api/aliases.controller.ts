import { Controller, Get, Param, Query } from '@nestjs/common';
import { parseAsOf } from '@mledger/event-log';
import { ApiError, Caller, parse } from '@mledger/service-kit';
import { PromotionQueries } from '../projections/promotion-queries';
import { RegisteredModelHandler } from '../registered-model/registered-model.handler';
import * as schemas from './promotions.schemas';

/** Who holds an alias or held it at any moment, since when, by whom and why. */
@Controller('api/mledger/v1/models/:name/aliases/:alias')
export class AliasesController {
  constructor(
    private readonly models: RegisteredModelHandler,
    private readonly queries: PromotionQueries,
  ) {}

  @Get()
  async holder(
    @Param('name') name: string,
    @Param('alias') alias: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<object> {
    const { asOf } = parse(schemas.aliasQuery, query, 'query');
    const at = asOf === undefined ? undefined : parseAsOf(asOf);
    // The name is resolved at that moment too: it may have meant another model then.
    const { modelId, state, version: streamVersion } = await this.models.find(caller.tenant, name, at);
    const tenure = await this.queries.tenure(caller.tenant, { modelId, alias, streamVersion });
    if (tenure === undefined)
      throw ApiError.notFound(`No version of ${name} ${at ? 'held' : 'holds'} the alias ${alias}`);
    const { promotionId, version, ...rest } = tenure;
    const origin = version === null ? undefined : state.versions[version - 1]?.origin;
    const promotion = promotionId === null ? undefined : await this.queries.promotion(caller.tenant, promotionId);
    return {
      ...{ model: name, alias, version, ...rest },
      ...(origin && { source: origin.source, runId: origin.runId, loggedModelId: origin.loggedModelId }),
      promotion: promotion ?? null,
    };
  }

  @Get('history')
  async history(
    @Param('name') name: string,
    @Param('alias') alias: string,
    @Query() query: unknown,
    @Caller() caller: Caller,
  ): Promise<object> {
    const { limit, after } = parse(schemas.historyQuery, query, 'query');
    const before = after === undefined ? STREAM_VERSION_MAX : Number(after);
    if (!Number.isInteger(before) || before > STREAM_VERSION_MAX)
      throw ApiError.invalid('after: send the next of the page before');
    const { modelId } = await this.models.find(caller.tenant, name);
    const rows = await this.queries.tenures(caller.tenant, { modelId, alias, before, limit });
    const tenures = rows.slice(0, limit);
    return { model: name, alias, tenures, next: rows.length > limit ? String(tenures.at(-1)!.streamVersion) : null };
  }
}

const STREAM_VERSION_MAX = 2_147_483_647;
