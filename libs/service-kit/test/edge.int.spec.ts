import { Body, Controller, Get, Module, Param, Put } from '@nestjs/common';
import { Caller, parse, type ServiceDefinition } from '@mledger/service-kit';
import { startTestService, type TestService } from '@mledger/service-kit/testing';
import { z } from 'zod';

@Controller('api/mledger/v1/pipelines')
class ProbeController {
  @Put(':name')
  put(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller) {
    return { name, body, caller: { tenant: caller.tenant, actor: caller.actor, commandId: caller.commandId } };
  }

  @Get(':name')
  get(@Param('name') name: string) {
    parse(z.object({ name: z.string().max(5) }), { name }, 'path');
    return { name };
  }
}

@Module({ controllers: [ProbeController] })
class ProbeModule {}

const probe: ServiceDefinition = { name: 'pipelines', module: ProbeModule, projections: [] };

describe('the edge of a service', () => {
  let test: TestService;
  beforeAll(async () => {
    test = await startTestService(probe);
  });
  afterAll(() => test.stop());

  it('answers', async () => {
    const answer = await test.inject({ method: 'PUT', url: '/api/mledger/v1/pipelines/retrain', payload: { a: 1 } });
    expect(answer.json()).toEqual({
      name: 'retrain',
      body: { a: 1 },
      caller: { tenant: 'default', actor: 'user:local' },
    });
  });
});
