import { lockKey, stream } from '@mledger/event-log';
import { eventually } from '@mledger/service-kit/testing';
import { DataSource } from 'typeorm';
import { v7 } from 'uuid';
import { RunDriver } from '../src/executor/run-driver';
import { RunLocks } from '../src/executor/run-locks';
import { Slots } from '../src/executor/slots';
import { StepRunner } from '../src/executor/step-runner';
import { PipelineHandler } from '../src/pipeline/pipeline.handler';
import { PipelinesWorld } from './pipelines-world';

let world: PipelinesWorld;
beforeAll(async () => {
  world = await PipelinesWorld.start();
});
afterAll(() => world?.stop());

describe('the driver of a run', () => {
  it('starts no step of a run that was cancelled since it was looked at, and takes that for no fault', async () => {
    const { app, log } = world.kit.service;
    const pipelines = app.get(PipelineHandler);
    const database = app.get(DataSource, { strict: false });
    await world.define('hasty', [{ name: 'only', command: ['true'] }]);
    const { pipelineId } = (await world.call('GET', 'pipelines/hasty')).body;
    const pipelineRunId = v7();
    // The service must leave the run to the driver here.
    const locks = new RunLocks(log, () => undefined);
    expect(await locks.tryAcquire(pipelineRunId)).toBe(true);
    const context = { tenant: 'default', actor: 'user:ana', cause: 'test', correlation: 'test' };
    await pipelines.trigger(pipelineId, pipelineRunId, { kind: 'request' }, context);

    const driver = new RunDriver(
      { pipelines, runner: app.get(StepRunner), slots: new Slots(1) },
      'default',
      pipelineRunId,
    );
    const driven = await database.transaction(async (manager) => {
      const key = String(lockKey('pipelines', 'stream', stream('default', 'pipeline-run', pipelineRunId)));
      await manager.query('select pg_advisory_xact_lock($1::bigint)', [key]);
      const done = driver.drive();
      // It has found the step ready, and waits with its start until the run is cancelled.
      await eventually(async () => expect(await manager.query(WAITING)).toHaveLength(1));
      await pipelines.toRun(pipelineRunId, { type: 'CancelRun', message: 'no' }, context, { transaction: manager });
      return { done };
    });
    await expect(driven.done).resolves.toBeUndefined();
    expect((await world.eventsOf(pipelineRunId)).map(({ type }) => type)).toEqual(['RunTriggered', 'RunCompleted']);
    await locks.close();
  });
});

/** Who waits for an advisory lock of this database. */
const WAITING = `
  select pid from pg_locks join pg_database on pg_database.oid = pg_locks.database
  where locktype = 'advisory' and not granted and datname = current_database()`;
