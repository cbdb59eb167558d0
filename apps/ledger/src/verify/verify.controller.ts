import { Controller, Get, Query } from '@nestjs/common';
import { Caller, isOperator, parse } from '@mledger/service-kit';
import { verifyQuery } from '../api/ledger.schemas';
import { reportFor } from './copy-report';
import { VerifyCopy } from './verify-copy';

/** Whether the ledger's own copy is what the services signed. */
@Controller('api/mledger/v1/verify')
export class VerifyController {
  constructor(private readonly copy: VerifyCopy) {}

  @Get()
  async verify(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    parse(verifyQuery, query, 'query');
    return reportFor(isOperator(caller) ? undefined : caller.tenant, await this.copy.verify());
  }
}
