import type { Readable } from 'node:stream';
import { pathOfTarget } from '@mledger/contracts';
import { Body, Controller, Delete, Get, Post, Put, Query, Req, Res, UseInterceptors } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse, type FastifyReply, type FastifyRequest } from '@mledger/service-kit';
import { z } from 'zod';
import { ArtifactHandler } from '../artifact/artifact.handler';
import { addressOf, safePath, safeTargetPath, type ArtifactAddress } from '../artifact/artifact-path';
import { fileAnswer } from './answers';
import { sendArtifact } from './artifact-download';
import { DefaultExperiment } from './default-experiment.interceptor';
import { optionalText } from './fields';

const listQuery = z.object({ path: optionalText });

/** MLflow's artifact proxy: what clients resolve `mlflow-artifacts:/…` to. */
@Controller(['api/2.0/mlflow-artifacts', 'ajax-api/2.0/mlflow-artifacts'])
@UseInterceptors(DefaultExperiment)
export class ArtifactProxyController {
  constructor(private readonly artifacts: ArtifactHandler) {}

  /** What lies in a folder; above the artifact roots there is nothing to list. */
  @Get('artifacts')
  async list(@Query() query: unknown, @Caller() { tenant }: Caller): Promise<object> {
    const { path } = parse(listQuery, query, 'query');
    const address = path === undefined ? undefined : addressOf(safePath(path.replace(/\/$/, '')));
    if (!address) return { files: [] };
    const entries = await this.artifacts.list(tenant, address);
    return { files: entries.map((entry) => fileAnswer(entry)) };
  }

  @Get('artifacts/*')
  async download(
    @Req() request: FastifyRequest,
    @Caller() { tenant }: Caller,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const address = fileAddress(request);
    await sendArtifact(reply, address.path, (range) => this.artifacts.open(tenant, address, range));
  }

  @Put('artifacts/*')
  async upload(
    @Req() request: FastifyRequest,
    @Body() body: Readable | undefined,
    @Caller() caller: Caller,
  ): Promise<object> {
    // Without a content type or length the framework reads no body; the request itself is the stream then.
    await this.artifacts.store(fileAddress(request), body ?? request.raw, commandContext(caller));
    return {};
  }

  @Delete('artifacts/*')
  async remove(@Req() request: FastifyRequest, @Caller() caller: Caller): Promise<object> {
    await this.artifacts.remove(proxiedAddress(request), commandContext(caller));
    return {};
  }

  /** Uploads are streamed whole, in flat memory; by these words a client knows that it has to do so. */
  @Post(['mpu/create/*', 'mpu/complete/*', 'mpu/abort/*'])
  multipart(): never {
    throw ApiError.notImplemented('Multipart upload is not supported for the current artifact repository');
  }

  @Get('presigned/*')
  presigned(): never {
    throw ApiError.notImplemented('Presigned download is not supported for the current artifact repository');
  }
}

/** The path is read off the target itself, so that it is decoded once and by nobody else. */
function proxiedAddress(request: FastifyRequest): ArtifactAddress {
  const target = pathOfTarget(request.edge.target);
  const address = addressOf(safeTargetPath(target.slice(target.indexOf('/artifacts/') + '/artifacts/'.length)));
  if (address) return address;
  throw ApiError.invalid(
    'Invalid path: artifacts lie under <experiment id>/<run id>/artifacts or <experiment id>/models/<model id>/artifacts',
  );
}

function fileAddress(request: FastifyRequest): ArtifactAddress {
  const address = proxiedAddress(request);
  if (address.path === '') throw ApiError.invalid('Invalid path: it names an artifact root and no file');
  return address;
}
