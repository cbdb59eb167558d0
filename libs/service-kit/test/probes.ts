import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, HttpCode, Module, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { verifiedPayload } from '@mledger/access-control';
import { CommandRefused, VersionConflict } from '@mledger/event-log';
import { z } from 'zod';
import {
  ApiError,
  Caller,
  identityOf,
  parse,
  type FastifyReply,
  type FastifyRequest,
  type ServiceDefinition,
} from '../src';

/** What reached a handler; a refused request leaves nothing here. */
export const reached: string[] = [];

@Controller('api/mledger/v1')
class OwnController {
  @Put('pipelines/:name')
  put(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller) {
    reached.push(name);
    const { tenant, actor, commandId, requestHash, expectedVersion } = caller;
    return { name, body, caller: { tenant, actor, commandId, requestHash, expectedVersion } };
  }

  @Get('pipelines/:name')
  get(@Param('name') name: string, @Query() query: unknown) {
    const { limit } = parse(z.object({ limit: z.coerce.number().int().max(10).default(1) }), query, 'query');
    return { name, limit };
  }

  @Delete('pipelines/:name')
  @HttpCode(204)
  remove() {
    reached.push('removed');
  }

  @Post('pipelines/:name/runs')
  fail(@Param('name') name: string) {
    switch (name) {
      case 'refused':
        throw new CommandRefused({
          kind: 'exists',
          code: 'RUN_EXISTS',
          message: 'there is a run',
          details: { run: 7 },
        });
      case 'conflict':
        throw new VersionConflict('default/pipeline:x', 3, 4);
      case 'api':
        throw ApiError.notFound('no such pipeline');
      default:
        throw new Error('the password is hunter2');
    }
  }
}

@Module({ controllers: [OwnController] })
class OwnModule {}

export const ownProbe: ServiceDefinition = { name: 'pipelines', module: OwnModule, projections: [] };

@Controller()
class MlflowController {
  @Post('api/2.0/mlflow/runs/create')
  create(@Body() body: unknown) {
    return body;
  }

  @Get('api/2.0/mlflow/runs/get')
  get() {
    throw new CommandRefused({ kind: 'exists', code: 'RUN_EXISTS', message: 'there is a run' });
  }

  @Put('api/2.0/mlflow-artifacts/artifacts/*')
  async upload(@Req() request: FastifyRequest) {
    return { type: request.headers['content-type'], bytes: (await text(request.body as Readable)).length };
  }
}

@Module({ controllers: [MlflowController] })
class MlflowModule {}

export const mlflowProbe: ServiceDefinition = { name: 'experiments', module: MlflowModule, projections: [] };

@Controller()
class LakefsController {
  @Get('api/v1/repositories')
  list() {
    throw new CommandRefused({ kind: 'not-found', code: 'REPOSITORY_NOT_FOUND', message: 'repository not found' });
  }

  @Get('.s3')
  buckets(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return reply.header('content-type', 'application/xml').send(`<Buckets>${identityOf(request)?.actor}</Buckets>`);
  }

  @Get('.s3/*')
  object(@Req() request: FastifyRequest) {
    if (request.edge.target.includes('missing'))
      throw new ApiError({ status: 404, code: 'NoSuchKey', message: 'The <key> does not exist' });
    return { target: request.edge.target };
  }

  @Put('.s3/*')
  async put(@Req() request: FastifyRequest) {
    const { stream } = verifiedPayload(
      { method: request.method, target: request.edge.target, headers: request.headers },
      identityOf(request)!.aws!,
      request.body as Readable,
    );
    const content = await text(stream);
    reached.push(content);
    return { content };
  }
}

@Module({ controllers: [LakefsController] })
class LakefsModule {}

export const lakefsProbe: ServiceDefinition = { name: 'versioning', module: LakefsModule, projections: [] };
