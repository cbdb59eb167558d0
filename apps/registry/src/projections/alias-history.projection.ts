import type { RegisteredModelEvent } from '@mledger/contracts';
import type { Projection, Recorded } from '@mledger/event-log';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * Each move of an alias, for ever. A tenure ends where the alias's next row begins, so no row is ever changed, and what
 * held at a position of the model's stream is the last row up to it.
 */
@Entity({ name: 'alias_history' })
export class AliasHistoryRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'model_id' })
  modelId!: string;
  @PrimaryColumn('text')
  alias!: string;
  /** Version of the model's stream at the move. */
  @PrimaryColumn('integer', { name: 'stream_version' })
  streamVersion!: number;
  /** The model version that holds the alias from here on; null: nobody. */
  @Column('integer', { nullable: true })
  version!: number | null;
  @Column('integer', { name: 'from_version', nullable: true })
  fromVersion!: number | null;
  @Column('text')
  since!: string;
  @Column('text')
  actor!: string;
  @Column('text')
  reason!: string;
  @Column('text', { name: 'promotion_id', nullable: true })
  promotionId!: string | null;
  @Column('text', { name: 'event_id' })
  eventId!: string;
  @Column('text')
  cause!: string;
  @Column('text')
  correlation!: string;
}

const TYPES = ['AliasMoved', 'AliasRemoved'] as const;
type AliasEvent = Extract<Recorded<RegisteredModelEvent>, { type: (typeof TYPES)[number] }>;

export const aliasHistoryProjection: Projection<AliasHistoryRow> = {
  name: 'alias_history',
  mode: 'inline',
  entity: AliasHistoryRow,
  types: TYPES,
  project: (event) => [{ put: tenure(event as AliasEvent) }],
};

function tenure(event: AliasEvent): AliasHistoryRow {
  const { modelId, alias, fromVersion, reason } = event.data;
  const moved = event.type === 'AliasMoved';
  return {
    ...{ tenant: event.tenant, modelId, alias, streamVersion: event.version },
    version: moved ? event.data.toVersion : null,
    ...{ fromVersion, since: event.time, actor: event.actor, reason },
    promotionId: moved ? event.data.promotionId : null,
    ...{ eventId: event.id, cause: event.cause, correlation: event.correlation },
  };
}
