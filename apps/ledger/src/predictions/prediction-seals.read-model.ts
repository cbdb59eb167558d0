import type { EndpointSealEvent } from '@mledger/contracts';
import type { ReadModel } from '@mledger/event-bus';
import type { Recorded } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A seal over consecutive predictions, found by the request ids that it spans. */
@Entity({ name: 'prediction_seals' })
@Index(['tenant', 'endpointId', 'revision', 'toRequest'])
export class PredictionSealRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'endpoint_id' })
  endpointId!: string;
  /** Version of the endpoint's stream of seals. */
  @PrimaryColumn('integer', { name: 'stream_version' })
  streamVersion!: number;
  @Column('integer')
  revision!: number;
  @Column('text', { name: 'from_request' })
  fromRequest!: string;
  @Column('text', { name: 'to_request' })
  toRequest!: string;
  @Column('text', { name: 'event_id' })
  eventId!: string;
  @Column('text')
  time!: string;
}

export const predictionSeals: ReadModel<PredictionSealRow> = {
  name: 'prediction_seals',
  mode: 'async',
  entity: PredictionSealRow,
  from: ['serving'],
  types: ['PredictionsSealed'],
  project: (event) => {
    const { tenant, id: eventId, version: streamVersion, time, data } = event as Recorded<EndpointSealEvent>;
    const { endpointId, revision, from: fromRequest, to: toRequest } = data;
    return [{ put: { tenant, endpointId, streamVersion, revision, fromRequest, toRequest, eventId, time } }];
  },
};
