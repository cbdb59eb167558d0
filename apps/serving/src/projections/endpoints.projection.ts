import type { EndpointEvent } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Who follows which model: asked when an alias moves. */
@Entity({ name: 'endpoints' })
@Index(['tenant', 'model', 'alias'])
export class EndpointRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'endpoint_id' })
  endpointId!: string;
  @Column('text')
  endpoint!: string;
  @Column('text')
  model!: string;
  @Column('text', { nullable: true })
  alias!: string | null;
}

const TYPES = ['EndpointCreated', 'EndpointRetargeted', 'EndpointDeleted'] as const;
type EndpointRowEvent = Extract<Recorded<EndpointEvent>, { type: (typeof TYPES)[number] }>;

export const endpointsProjection: Projection<EndpointRow> = {
  name: 'endpoints',
  mode: 'inline',
  entity: EndpointRow,
  types: TYPES,
  project: (event) => projectEndpoint(event as EndpointRowEvent),
};

function projectEndpoint(event: EndpointRowEvent): RowChange<EndpointRow>[] {
  const key = { tenant: event.tenant, endpointId: event.data.endpointId };
  if (event.type === 'EndpointDeleted') return [{ remove: key }];
  const { endpoint, follows } = event.data;
  return [{ put: { ...key, endpoint, model: follows.model, alias: follows.alias } }];
}
