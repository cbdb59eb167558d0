import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RegisteredModelEvent } from '@mledger/contracts';
import { CommandRefused, type CommandContext, type Handled } from '@mledger/event-log';
import { Ids } from '@mledger/service-kit';
import { ModelSources } from '../sources/model-sources';
import type { GateEvidence } from './gates';
import type { RegisteredModelState } from './model-state';
import { championOf, policyFor } from './promotion';
import { RegisteredModelHandler } from './registered-model.handler';
import type { RegisteredModelCommand } from './registered-model';

type HandledModel = Handled<RegisteredModelState, RegisteredModelEvent>;
type CommandWithEvidence = Extract<RegisteredModelCommand, { evidence: GateEvidence }>;

/** The alias may move between the look at the metrics and the decision; then both are done again. */
const ATTEMPTS_MAX = 3;

/** Brings the recorded metrics and the decision about a promotion together. */
@Injectable()
export class PromotionHandler {
  constructor(
    private readonly models: RegisteredModelHandler,
    private readonly sources: ModelSources,
    private readonly database: DataSource,
    private readonly ids: Ids,
  ) {}

  /** @returns the id of the promotion, whatever came of it */
  async request(
    name: string,
    wish: { readonly version: number; readonly alias: string; readonly reason: string },
    context: CommandContext,
  ): Promise<string> {
    const { modelId } = await this.models.find(context.tenant, name);
    const pipeline = await this.sources.pipelineOf(context.tenant, context.actor);
    const asked = { type: 'RequestPromotion', promotionId: this.ids.uuidv7(), ...wish, pipeline } as const;
    const sides = () => wish;
    const command = (evidence: GateEvidence) => ({ ...asked, actor: context.actor, evidence });
    const { events } = await this.withEvidence(modelId, sides, command, context);
    const requested = events.find((event) => event.type === 'PromotionRequested');
    if (requested === undefined) throw new Error(`the promotion of version ${wish.version} of ${name} left no event`);
    return requested.data.promotionId;
  }

  async approve(promotionId: string, comment: string, context: CommandContext): Promise<void> {
    const modelId = await this.modelOf(context.tenant, promotionId);
    const command = (evidence: GateEvidence) =>
      ({ type: 'ApprovePromotion', promotionId, actor: context.actor, comment, evidence }) as const;
    const sides = (state: RegisteredModelState) => state.promotions.get(promotionId);
    await this.withEvidence(modelId, sides, command, context);
  }

  async close(
    type: 'RejectPromotion' | 'WithdrawPromotion',
    promotionId: string,
    reason: string,
    context: CommandContext,
  ): Promise<void> {
    const modelId = await this.modelOf(context.tenant, promotionId);
    await this.models.issueTo(modelId, { type, promotionId, actor: context.actor, reason }, context);
  }

  private async withEvidence(
    modelId: string,
    sidesOf: (state: RegisteredModelState) => { readonly version: number; readonly alias: string } | undefined,
    command: (evidence: GateEvidence) => CommandWithEvidence,
    context: CommandContext,
  ): Promise<HandledModel> {
    for (let attempt = 1; ; attempt += 1) {
      const { state } = await this.models.load(context.tenant, modelId);
      const evidence = await this.evidence(context.tenant, state, sidesOf(state));
      try {
        return await this.models.issueTo(modelId, command(evidence), context);
      } catch (error) {
        const stale = error instanceof CommandRefused && error.refusal.code === 'STALE_EVIDENCE';
        if (!stale || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** Metrics of the version and of who holds the alias, for the gates that hold now. */
  private async evidence(
    tenant: string,
    state: RegisteredModelState,
    sides: { readonly version: number; readonly alias: string } | undefined,
  ): Promise<GateEvidence> {
    if (sides === undefined) return { versions: [], observations: [] };
    const champion = championOf(state, sides.alias);
    const numbers = champion === null ? [sides.version] : [sides.version, champion];
    const versions = numbers.flatMap((version) => {
      const origin = state.versions[version - 1]?.origin;
      return origin ? [{ version, origin }] : [];
    });
    const metrics = policyFor(state, sides.alias).gates.map((gate) => gate.metric);
    return this.sources.evidence(tenant, versions, metrics);
  }

  private async modelOf(tenant: string, promotionId: string): Promise<string> {
    const parameters = [tenant, promotionId];
    const [found] = await this.database.query<{ modelId: string }[]>(MODEL_OF_PROMOTION, parameters);
    if (found) return found.modelId;
    const message = `There is no promotion ${promotionId}`;
    throw new CommandRefused({ kind: 'not-found', code: 'PROMOTION_NOT_FOUND', message });
  }
}

/** $1 tenant, $2 promotion id */
const MODEL_OF_PROMOTION = `select model_id as "modelId" from promotions where tenant = $1 and promotion_id = $2`;
