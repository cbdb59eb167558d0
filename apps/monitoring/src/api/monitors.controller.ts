import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiError, Caller, commandContext, parse } from '@mledger/service-kit';
import { MonitorHandler } from '../monitor/monitor.handler';
import { MonitorQueries, type MonitorView } from '../projections/monitor-queries';
import { requestedMonitor } from './monitor-definition';
import { alertsQuery, monitorBody, monitorName, monitorsQuery, noQuery, windowsQuery } from './monitors.schemas';

/** Monitors: what is watched against which reference, and what came of it. */
@Controller('api/mledger/v1/monitors')
export class MonitorsController {
  constructor(
    private readonly handler: MonitorHandler,
    private readonly queries: MonitorQueries,
  ) {}

  @Get()
  async list(@Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { limit, after } = parse(monitorsQuery, query, 'query');
    const rows = await this.queries.monitors(caller.tenant, { after, limit });
    const monitors = rows.slice(0, limit);
    return { monitors: monitors.map(shown), next: rows.length > limit ? monitors.at(-1)!.monitor : null };
  }

  @Get(':name')
  async get(@Param('name') name: string, @Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    parse(noQuery, query, 'query');
    return shown(await this.monitor(caller, name));
  }

  @Put(':name')
  async put(@Param('name') name: string, @Body() body: unknown, @Caller() caller: Caller): Promise<object> {
    const monitor = parse(monitorName, name, 'name');
    const { definition, columns } = requestedMonitor(parse(monitorBody, body));
    await this.handler.define(monitor, definition, columns, commandContext(caller));
    return shown(await this.monitor(caller, monitor));
  }

  @Delete(':name')
  @HttpCode(204)
  async delete(@Param('name') name: string, @Caller() caller: Caller): Promise<void> {
    await this.handler.delete(parse(monitorName, name, 'name'), commandContext(caller));
  }

  /** The newest first. */
  @Get(':name/windows')
  async windows(@Param('name') name: string, @Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { limit, after: before } = parse(windowsQuery, query, 'query');
    const { monitorId } = await this.monitor(caller, name);
    const rows = await this.queries.windows(caller.tenant, { monitorId, before, limit });
    const page = rows.slice(0, limit);
    return {
      windows: page.map(({ evaluation, evaluatedAt, performance }) => ({ ...evaluation, evaluatedAt, performance })),
      next: rows.length > limit ? String(page.at(-1)!.number) : null,
    };
  }

  /** The newest first. */
  @Get(':name/alerts')
  async alerts(@Param('name') name: string, @Query() query: unknown, @Caller() caller: Caller): Promise<object> {
    const { limit, after: before, status } = parse(alertsQuery, query, 'query');
    const { monitorId } = await this.monitor(caller, name);
    const rows = await this.queries.alerts(caller.tenant, { monitorId, status, before, limit });
    const alerts = rows.slice(0, limit);
    return { alerts, next: rows.length > limit ? alerts.at(-1)!.alertId : null };
  }

  private async monitor(caller: Caller, name: string): Promise<MonitorView> {
    const monitor = await this.queries.monitor(caller.tenant, name);
    if (!monitor) throw ApiError.notFound(`there is no monitor ${name}`);
    return monitor;
  }
}

function shown(row: MonitorView): object {
  const { monitor: name, monitorId, revision, definition, definedAt, definedBy, rowsGathered, openAlerts } = row;
  const { profile, reference, windowRows, ...rest } = definition;
  const rowsWanted = profile === null ? reference.rows : windowRows;
  return {
    ...{ name, monitorId, revision, ...rest, windowRows },
    reference: { ...reference, sha256: profile?.sha256 ?? null },
    gathering: { for: profile === null ? 'reference' : 'window', rows: rowsGathered, of: rowsWanted },
    ...{ openAlerts, definedAt, definedBy },
  };
}
