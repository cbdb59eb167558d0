import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { Caller, commandContext, parse } from '@mledger/service-kit';
import { EndpointDirectory } from '../endpoint/endpoint-directory';
import type { Endpoint, EndpointCommand } from '../endpoint/endpoint';
import { EndpointHandler, followedUri } from '../endpoint/endpoint.handler';
import { endpointBody, endpointName, parseFollows, rollbackBody, shadowsBody, trafficBody } from './endpoints.schemas';

/** Endpoints: what serves which model, and who answers. */
@Controller('api/mledger/v1/endpoints')
export class EndpointsController {
  constructor(
    private readonly handler: EndpointHandler,
    private readonly directory: EndpointDirectory,
  ) {}

  @Get()
  list(@Caller() caller: Caller): object {
    return { endpoints: this.directory.find(caller.tenant).map(shown) };
  }

  @Get(':name')
  get(@Param('name') name: string, @Caller() caller: Caller): object {
    return shown(this.directory.get(caller.tenant, name));
  }

  @Put(':name')
  async put(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const follows = parseFollows(parse(endpointBody, body).model);
    return shown(await this.handler.follow(parse(endpointName, name, 'name'), follows, commandContext(caller)));
  }

  @Delete(':name')
  @HttpCode(204)
  async delete(@Param('name') name: string, @Caller() caller: Caller): Promise<void> {
    await this.handler.delete(name, commandContext(caller));
  }

  @Post(':name/rollback')
  @HttpCode(200)
  async rollBack(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    return this.issue(name, { type: 'RollBack', ...parse(rollbackBody, body) }, caller);
  }

  @Post(':name/traffic')
  @HttpCode(200)
  async traffic(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    return this.issue(name, { type: 'ShiftTraffic', ...parse(trafficBody, body) }, caller);
  }

  @Post(':name/shadows')
  @HttpCode(200)
  async shadows(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const { revision, attached } = parse(shadowsBody, body);
    return this.issue(name, { type: attached ? 'AttachShadow' : 'DetachShadow', revision }, caller);
  }

  private async issue(name: string, command: EndpointCommand, caller: Caller): Promise<object> {
    return shown(await this.handler.issue(name, command, commandContext(caller)));
  }
}

function shown({ endpointId, endpoint, follows, revisions, shares, shadows }: Endpoint): object {
  return {
    name: endpoint,
    endpointId,
    model: followedUri(follows),
    ready: shares.length > 0,
    shares,
    shadows,
    revisions: revisions.map(({ revision, servedModel }) => ({
      revision,
      model: `models:/${servedModel.model}/${servedModel.version}`,
      sha256: servedModel.sha256,
      runId: servedModel.runId,
    })),
  };
}
