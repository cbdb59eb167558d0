import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { AccessControl } from '@mledger/access-control';
import type { StoredLog } from '@mledger/contracts';
import type { ObjectStore } from '@mledger/object-store';
import { newObjectKey } from '@mledger/object-store';
import { Config, Ids, Logger, OBJECT_STORE } from '@mledger/service-kit';
import type { PipelineRunCommand, PipelineRunState } from '../pipeline-run/pipeline-run';
import { patiently } from './patiently';
import { stepEnvironment } from './step-environment';
import { makeStepFolder } from './step-folder';
import { StepLog } from './step-log';
import { runStepProcess, type StepExit } from './step-process';

export interface StepToRun {
  readonly tenant: string;
  /** As it stands with this step started. */
  readonly run: PipelineRunState;
  readonly step: string;
  readonly signal: AbortSignal;
}

/** A token holds a little longer than its step may run. */
const TOKEN_SPARE_SECONDS = 60;

/** Runs one attempt of a step, in a folder of its own, and says what is to be recorded of it. */
@Injectable()
export class StepRunner {
  private readonly logs = new Map<string, StepLog>();

  constructor(
    private readonly access: AccessControl,
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
    private readonly config: Config,
    private readonly ids: Ids,
    private readonly logger: Logger,
  ) {}

  async run(toRun: StepToRun): Promise<PipelineRunCommand> {
    const { run, step } = toRun;
    const { attempt } = run.steps.get(step)!;
    const folder = await makeStepFolder();
    // Beside the working folder, so that the step cannot mistake it for a file of its own.
    const log = new StepLog(`${folder}.log`);
    const place = logPlace(run.pipelineRunId, step, attempt);
    this.logs.set(place, log);
    try {
      const exit = await this.process(toRun, folder, log);
      const id = this.ids.uuidv7();
      const objectKey = newObjectKey({ tenant: toRun.tenant, service: 'pipelines', ownerId: run.pipelineRunId, id });
      return ending({ step, attempt, durationMs: exit.durationMs, log: await this.stored(log, objectKey) }, exit);
    } finally {
      this.logs.delete(place);
      await Promise.all([folder, `${folder}.log`].map((path) => rm(path, { recursive: true, force: true })));
    }
  }

  /** What a step has printed so far, if it runs here. */
  async liveLog(pipelineRunId: string, step: string, attempt: number): Promise<Readable | undefined> {
    const log = this.logs.get(logPlace(pipelineRunId, step, attempt));
    // Its step may be over in this moment, and the file gone.
    const file = log && (await open(log.path).catch(() => undefined));
    return file?.createReadStream();
  }

  /** To an object store that stays away the log is lost, but not what came of the step. */
  private async stored(log: StepLog, objectKey: string): Promise<StoredLog | null> {
    await log.close();
    try {
      return await patiently(() => log.store(this.objects, objectKey));
    } catch (error) {
      this.logger.error({ error, objectKey }, 'the log of a step could not be stored and is lost');
      return null;
    }
  }

  private async process({ tenant, run, step, signal }: StepToRun, folder: string, log: StepLog): Promise<StepExit> {
    const { definition, attempt, startedBy } = run.steps.get(step)!;
    const credentials = await this.access.issueStepCredentials({
      ...{ tenant, actor: `pipeline:${run.pipelineId}`, roles: [run.role], definer: run.definer },
      ...{ correlation: run.correlation, cause: startedBy },
      lifetimeSeconds: definition.timeoutSeconds + TOKEN_SPARE_SECONDS,
    });
    const outputsFile = join(folder, '.mledger-outputs.json');
    await writeFile(outputsFile, JSON.stringify(outputsSoFar(run)));
    const place = { tenant, run, step, attempt, url: this.config.publicUrl, folder, outputsFile };
    return runStepProcess({
      command: definition.command,
      env: stepEnvironment(place, credentials, process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'),
      ...{ folder, log, signal, timeoutMs: definition.timeoutSeconds * 1000 },
    });
  }
}

function ending(
  about: Omit<Extract<PipelineRunCommand, { type: 'SucceedStep' }>, 'type' | 'outputs'>,
  exit: StepExit,
): PipelineRunCommand {
  if (exit.end === 'exit' && exit.exitCode === 0) return { type: 'SucceedStep', ...about, outputs: exit.outputs };
  const reason = exit.end === 'stopped' ? 'lost' : exit.end;
  return { type: 'FailStep', ...about, reason, exitCode: exit.exitCode, message: exit.message };
}

function outputsSoFar(run: PipelineRunState): object {
  const succeeded = [...run.steps].filter(([, { status }]) => status === 'succeeded');
  return Object.fromEntries(succeeded.map(([name, { outputs }]) => [name, outputs]));
}

function logPlace(pipelineRunId: string, step: string, attempt: number): string {
  return `${pipelineRunId}/${attempt}/${step}`;
}
