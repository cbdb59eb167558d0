import { Controller, Get, Query, Res, UseInterceptors } from '@nestjs/common';
import { ApiError, Caller, parse, type FastifyReply } from '@mledger/service-kit';
import { ArtifactHandler } from '../artifact/artifact.handler';
import { safePath, type ArtifactAddress } from '../artifact/artifact-path';
import { RunQueries, type RunView } from '../queries/run.queries';
import { fileAnswer } from './answers';
import { sendArtifact } from './artifact-download';
import { DefaultExperiment } from './default-experiment.interceptor';
import * as schemas from './run.schemas';

/** A run's artifacts by the run's id: MLflow's `artifacts/list`, and `get-artifact` of its pages. */
@Controller()
@UseInterceptors(DefaultExperiment)
export class RunArtifactsController {
  constructor(
    private readonly runs: RunQueries,
    private readonly artifacts: ArtifactHandler,
  ) {}

  @Get(['api/2.0/mlflow/artifacts/list', 'ajax-api/2.0/mlflow/artifacts/list'])
  async list(@Query() query: unknown, @Caller() { tenant }: Caller): Promise<object> {
    const message = parse(schemas.listRunArtifacts, query, 'query');
    const path = message.path === undefined ? '' : safePath(message.path);
    const run = await this.run(tenant, message.run_id);
    const entries = await this.artifacts.list(tenant, addressIn(run, path));
    return { root_uri: run.artifact_uri, files: entries.map((entry) => fileAnswer(entry, path)) };
  }

  @Get('get-artifact')
  async get(@Query() query: unknown, @Caller() { tenant }: Caller, @Res() reply: FastifyReply): Promise<void> {
    const message = parse(schemas.getArtifact, query, 'query');
    const path = safePath(message.path);
    const address = addressIn(await this.run(tenant, message.run_id), path);
    await sendArtifact(reply, path, (range) => this.artifacts.open(tenant, address, range));
  }

  private async run(tenant: string, runId: string): Promise<RunView> {
    const run = await this.runs.find(tenant, runId);
    if (!run) throw ApiError.notFound(`Run with id=${runId} not found`);
    return run;
  }
}

function addressIn(run: RunView, path: string): ArtifactAddress {
  return { experimentId: run.experiment_id, ownerKind: 'run', ownerId: run.run_id, path };
}
