import { SERVICE_NAMES, type ServiceName } from '@mledger/contracts';
import { EVERY_TYPE, type ReadModel } from '@mledger/event-bus';
import { eventId, type Recorded, type Sequenced } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The ledger's own copy of one event of any service. */
@Entity({ name: 'timeline' })
@Index(['service', 'seq'], { unique: true })
@Index(['tenant', 'stream', 'version'])
@Index(['tenant', 'correlation'])
@Index(['tenant', 'type'])
export class TimelineRow {
  @PrimaryColumn('text')
  tenant!: string;
  /** UUIDv5 of (service, stream, version), so a row for each of them. */
  @PrimaryColumn('uuid')
  id!: string;
  @Column('text')
  service!: ServiceName;
  /** The place in its service's public order. */
  @Column('bigint')
  seq!: number;
  @Column('text')
  stream!: string;
  @Column('integer')
  version!: number;
  @Column('text')
  type!: string;
  @Column('integer')
  schema!: number;
  @Column('text')
  time!: string;
  @Column('text')
  actor!: string;
  @Column('text')
  cause!: string;
  @Column('text')
  correlation!: string;
  @Column('json')
  data!: object;
  /** What pages are bounded by: docs/adr/0016. */
  @Column({ type: 'integer', generatedType: 'STORED', asExpression: 'octet_length(data::text)' })
  bytes?: number;
}

export const timeline: ReadModel<TimelineRow> = {
  name: 'timeline',
  mode: 'async',
  entity: TimelineRow,
  from: SERVICE_NAMES,
  types: [EVERY_TYPE],
  project: (event) => [{ put: rowOf(event as Sequenced) }],
};

function rowOf(event: Sequenced): TimelineRow {
  const { tenant, id, seq, stream, version, type, schema, time, actor, cause, correlation, data } = event;
  return {
    tenant,
    id,
    service: serviceOf(event),
    seq,
    stream,
    version,
    type,
    schema,
    time,
    actor,
    cause,
    correlation,
    data,
  };
}

/**
 * The service that an event comes from: the one under whose name its id is what it is. The id covers it, so this is also
 * the check that nobody published an event in the name of another.
 */
export function serviceOf({
  id,
  stream,
  version,
  type,
}: Pick<Recorded, 'id' | 'stream' | 'version' | 'type'>): ServiceName {
  const service = SERVICE_NAMES.find((name) => eventId(name, stream, version) === id);
  if (service === undefined) throw new Error(`${type} ${id} is no service's version ${version} of ${stream}`);
  return service;
}
