import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { Caller, commandContext, parse } from '@mledger/service-kit';
import { LabelHandler } from '../performance/label.handler';
import { labelsBody } from './monitors.schemas';

const UNKNOWN_NAMED_MAX = 100;

/** Ground truth, which arrives when the predictions were made long ago. */
@Controller('api/mledger/v1/endpoints')
export class LabelsController {
  constructor(private readonly handler: LabelHandler) {}

  @Post(':name/labels')
  @HttpCode(200)
  async take(@Param('name') endpoint: string, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const labels = parse(labelsBody, body);
    const { unknownRequests: unknown, tooLate } = await this.handler.take(endpoint, labels, commandContext(caller));
    return {
      received: labels.length,
      unknownRequests: unknown.length,
      unknownRequestIds: unknown.slice(0, UNKNOWN_NAMED_MAX),
      tooLate,
    };
  }
}
