import type { PipelineRunEvent, RunCause, StoredLog } from '@mledger/contracts';
import type { Projection, Recorded, RowChange } from '@mledger/event-log';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One start of a step and how it went. */
export interface StepAttempt {
  readonly attempt: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  /** Why it failed; empty while it runs and after success. */
  readonly reason: string;
  readonly exitCode: number | null;
  readonly message: string;
  readonly log: StoredLog | null;
}

export interface StepRecord {
  readonly name: string;
  readonly status: 'waiting' | 'running' | 'succeeded' | 'failed';
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly attempts: readonly StepAttempt[];
}

/** A run of a pipeline, step by step. */
@Entity({ name: 'pipeline_runs' })
@Index(['tenant', 'pipelineId', 'triggeredAt'])
@Index(['status'])
export class PipelineRunRow {
  @PrimaryColumn('text')
  tenant!: string;
  @PrimaryColumn('text', { name: 'pipeline_run_id' })
  pipelineRunId!: string;
  @Column('text', { name: 'pipeline_id' })
  pipelineId!: string;
  @Column('text')
  pipeline!: string;
  @Column('integer')
  revision!: number;
  @Column('text')
  status!: 'running' | 'succeeded' | 'failed' | 'cancelled';
  @Column('text')
  message!: string;
  @Column('jsonb')
  cause!: RunCause;
  @Column('text', { name: 'triggered_by' })
  triggeredBy!: string;
  @Column('text', { name: 'triggered_at' })
  triggeredAt!: string;
  @Column('text', { name: 'completed_at', nullable: true })
  completedAt!: string | null;
  @Column('text')
  correlation!: string;
  /** In the order of the definition. */
  @Column('jsonb')
  steps!: StepRecord[];
}

const TYPES = ['RunTriggered', 'StepStarted', 'StepSucceeded', 'StepFailed', 'StepStopped', 'RunCompleted'] as const;
type RunEvent = Recorded<PipelineRunEvent>;

export const pipelineRunsProjection: Projection<PipelineRunRow> = {
  name: 'pipeline_runs',
  mode: 'inline',
  entity: PipelineRunRow,
  types: TYPES,
  project: (event) => projectRun(event as RunEvent),
};

function projectRun(event: RunEvent): RowChange<PipelineRunRow>[] {
  if (event.type === 'RunTriggered') return [{ put: triggered(event) }];
  const key = { tenant: event.tenant, pipelineRunId: event.data.pipelineRunId };
  return [{ change: key, by: (row) => row && { ...row, ...changes(row, event) } }];
}

function triggered(event: Extract<RunEvent, { type: 'RunTriggered' }>): PipelineRunRow {
  const { pipelineRunId, pipelineId, pipeline, revision, cause, steps } = event.data;
  return {
    ...{ tenant: event.tenant, pipelineRunId, pipelineId, pipeline, revision, status: 'running', message: '', cause },
    ...{ triggeredBy: event.actor, triggeredAt: event.time, completedAt: null, correlation: event.correlation },
    steps: steps.map(({ name }) => ({ name, status: 'waiting', outputs: {}, attempts: [] })),
  };
}

function changes(row: PipelineRunRow, event: Exclude<RunEvent, { type: 'RunTriggered' }>): Partial<PipelineRunRow> {
  if (event.type === 'RunCompleted') {
    return { status: event.data.status, message: event.data.message, completedAt: event.time };
  }
  const { step } = event.data;
  return { steps: row.steps.map((record) => (record.name === step ? changedStep(record, event) : record)) };
}

function changedStep(
  record: StepRecord,
  event: Extract<RunEvent, { type: 'StepStarted' | 'StepSucceeded' | 'StepFailed' | 'StepStopped' }>,
): StepRecord {
  const { attempt } = event.data;
  if (event.type === 'StepStarted') {
    const begun = { attempt, startedAt: event.time, endedAt: null, durationMs: null };
    const nothingYet = { reason: '', exitCode: null, message: '', log: null };
    return { ...record, status: 'running', attempts: [...record.attempts, { ...begun, ...nothingYet }] };
  }
  const { durationMs, log } = event.data;
  if (event.type === 'StepStopped') return withAttempt(record, attempt, { endedAt: event.time, durationMs, log });
  const failed = event.type === 'StepFailed';
  const { reason, exitCode, message } = failed ? event.data : { reason: '', exitCode: 0, message: '' };
  const ended = { endedAt: event.time, durationMs, reason, exitCode, message, log };
  return {
    ...withAttempt(record, attempt, ended),
    status: failed ? 'failed' : 'succeeded',
    outputs: failed ? record.outputs : event.data.outputs,
  };
}

function withAttempt(record: StepRecord, attempt: number, change: Partial<StepAttempt>): StepRecord {
  const attempts = record.attempts.map((one) => (one.attempt === attempt ? { ...one, ...change } : one));
  return { ...record, attempts };
}
