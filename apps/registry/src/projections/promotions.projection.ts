import type { RegisteredModelEvent } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

type EventOfType<T extends RegisteredModelEvent['type']> = Extract<Recorded<RegisteredModelEvent>, { type: T }>;

export interface ApprovalRecord {
  readonly by: string;
  readonly at: string;
  readonly comment: string;
}

export type GateRecord = Omit<
  EventOfType<'GateEvaluated'>['data'],
  'modelId' | 'model' | 'promotionId' | 'version' | 'alias'
> & { readonly at: string; readonly eventId: string };

/** A promotion from request to end, with every figure that decided it. */
@Entity({ name: 'promotions' })
@Index(['tenant', 'modelId', 'requestedAt'])
export class PromotionRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'promotion_id' })
  promotionId!: string;
  @Column('text', { name: 'model_id' })
  modelId!: string;
  @Column('integer')
  version!: number;
  @Column('text')
  alias!: string;
  @Column('text')
  status!: 'pending' | 'promoted' | 'refused' | 'rejected' | 'withdrawn';
  @Column('text')
  reason!: string;
  @Column('text', { name: 'requested_by' })
  requestedBy!: string;
  @Column('text', { name: 'requested_at' })
  requestedAt!: string;
  @Column('integer', { name: 'approvals_needed' })
  approvalsNeeded!: number;
  @Column('jsonb')
  approvals!: ApprovalRecord[];
  @Column('jsonb')
  gates!: GateRecord[];
  @Column('text', { name: 'closed_by', nullable: true })
  closedBy!: string | null;
  @Column('text', { name: 'closed_at', nullable: true })
  closedAt!: string | null;
  /** Why it was refused, rejected or withdrawn; empty otherwise. */
  @Column('text', { name: 'closing_reason' })
  closingReason!: string;
  @Column('text')
  correlation!: string;
}

const TYPES = [
  'PromotionRequested',
  'GateEvaluated',
  'PromotionApproved',
  'PromotionRefused',
  'PromotionRejected',
  'PromotionWithdrawn',
  'ModelPromoted',
] as const;
type PromotionRowEvent = EventOfType<(typeof TYPES)[number]>;

export const promotionsProjection: Projection<PromotionRow> = {
  name: 'promotions',
  mode: 'inline',
  entity: PromotionRow,
  types: TYPES,
  project: (event) => projectPromotion(event as PromotionRowEvent),
};

function projectPromotion(event: PromotionRowEvent): RowChange<PromotionRow>[] {
  if (event.type === 'PromotionRequested') return [{ put: requested(event) }];
  const key = { tenant: event.tenant, promotionId: event.data.promotionId };
  return [{ change: key, by: (row) => row && { ...row, ...changes(row, event) } }];
}

function requested(event: EventOfType<'PromotionRequested'>): PromotionRow {
  const { promotionId, modelId, version, alias, reason, approvalsNeeded } = event.data;
  return {
    ...{ tenant: event.tenant, promotionId, modelId, version, alias, status: 'pending', reason, approvalsNeeded },
    ...{ requestedBy: event.actor, requestedAt: event.time, correlation: event.correlation },
    ...{ approvals: [], gates: [], closedBy: null, closedAt: null, closingReason: '' },
  };
}

function changes(
  row: PromotionRow,
  event: Exclude<PromotionRowEvent, { type: 'PromotionRequested' }>,
): Partial<PromotionRow> {
  const closed = { closedBy: event.actor, closedAt: event.time };
  switch (event.type) {
    case 'GateEvaluated': {
      const { gate, passed, observed, champion, threshold, explanation } = event.data;
      const record = { gate, passed, observed, champion, threshold, explanation, at: event.time, eventId: event.id };
      return { gates: [...row.gates, record] };
    }
    case 'PromotionApproved': {
      const approval = { by: event.actor, at: event.time, comment: event.data.comment };
      return { approvals: [...row.approvals, approval], approvalsNeeded: event.data.approvalsNeeded };
    }
    case 'PromotionRefused':
      return { status: 'refused', ...closed, closingReason: event.data.explanations.join('; ') };
    case 'PromotionRejected':
      return { status: 'rejected', ...closed, closingReason: event.data.reason };
    case 'PromotionWithdrawn':
      return { status: 'withdrawn', ...closed, closingReason: event.data.reason };
    case 'ModelPromoted':
      return { status: 'promoted', ...closed };
  }
}
