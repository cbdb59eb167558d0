import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { Tenants } from '../tenant/tenants';
import { id, newTenantBody, pageQuery, reasonQuery } from './access.schemas';

@Controller('api/mledger/v1/tenants')
export class TenantsController {
  constructor(private readonly tenants: Tenants) {}

  @Get()
  async list(@Caller() caller: Caller, @Query() query: unknown) {
    assertSystem(caller);
    const page = parse(pageQuery, query, 'query');
    const tenants = await this.tenants.list(page);
    return { tenants, next: tenants.length === page.limit ? tenants.at(-1)?.tenantId : undefined };
  }

  @Post()
  async create(@Caller() caller: Caller, @Body() body: unknown) {
    assertSystem(caller);
    const { tenantId, adminName } = parse(newTenantBody, body);
    const { userId, key } = await this.tenants.create({ tenantId, adminName }, commandContext(caller));
    return { tenantId, userId, ...key };
  }

  @Get(':id')
  async get(@Caller() caller: Caller, @Param('id') idText: string) {
    assertSystem(caller);
    const tenant = await this.tenants.find(parse(id, idText, 'id'));
    if (!tenant) throw ApiError.notFound(`there is no tenant ${idText}`);
    return tenant;
  }

  @Delete(':id')
  @HttpCode(204)
  async close(@Caller() caller: Caller, @Param('id') idText: string, @Query() query: unknown) {
    assertSystem(caller);
    await this.tenants.close(
      parse(id, idText, 'id'),
      parse(reasonQuery, query, 'query').reason,
      commandContext(caller),
    );
  }
}

function assertSystem({ tenant }: Caller): void {
  if (tenant !== 'system') throw ApiError.forbidden('tenants are managed by the admins of tenant system');
}
