import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@mledger/service-kit';
import { LabelsController } from './api/labels.controller';
import { MonitorsController } from './api/monitors.controller';
import { RequestRows1764300000000 } from './migrations/request-rows.migration';
import { MonitoringWorkingState1764000000000 } from './migrations/working-state.migration';
import { MonitorHandler } from './monitor/monitor.handler';
import { LabelHandler } from './performance/label.handler';
import { WindowJudge } from './performance/window-judge';
import { alertsProjection } from './projections/alerts.projection';
import { MonitorQueries } from './projections/monitor-queries';
import { monitorsProjection } from './projections/monitors.projection';
import { windowsProjection } from './projections/windows.projection';
import { ReferenceProfiles } from './reference/reference-profiles';
import { GatherWindows } from './windows/gather-windows.handler';
import { WindowCloser } from './windows/window-closer';
import { WindowGatherer } from './windows/window-gatherer';

@Module({
  controllers: [MonitorsController, LabelsController],
  providers: [
    MonitorHandler,
    MonitorQueries,
    ReferenceProfiles,
    WindowCloser,
    WindowJudge,
    WindowGatherer,
    GatherWindows,
    LabelHandler,
  ],
})
export class MonitoringModule {}

/** Monitors: windows of what endpoints answered, compared with a reference, and with the truth as it becomes known. */
export const monitoringService: ServiceDefinition = {
  name: 'monitoring',
  module: MonitoringModule,
  projections: [monitorsProjection, windowsProjection, alertsProjection],
  payloadHandlers: [GatherWindows],
  migrations: [MonitoringWorkingState1764000000000, RequestRows1764300000000],
};
