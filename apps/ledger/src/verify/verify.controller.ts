import { Controller, Get, Query } from '@nestjs/common';
import { LOCAL_ADMIN } from '@mledger/access-control';
import { Caller, parse } from '@mledger/service-kit';
import { z } from 'zod';
import { reportFor } from './copy-report';
import { VerifyCopy } from './verify-copy';

/** Whether the ledger's own copy is what the services signed. */
@Controller('api/mledger/v1/verify')
export class VerifyController {
  constructor(private readonly copy: VerifyCopy) {}

  @Get()
  async verify(@Query() query: unknown, @Caller() { tenant, actor }: Caller): Promise<object> {
    parse(z.strictObject({}), query, 'query');
    // The installation as a whole is the concern of admins of tenant system, and of whoever sits at an open machine.
    const isOperator = tenant === 'system' || actor === LOCAL_ADMIN.actor;
    return reportFor(isOperator ? undefined : tenant, await this.copy.verify());
  }
}
