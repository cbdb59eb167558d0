import { stream } from '@mledger/event-log';

export function monitorStream(tenant: string, monitorId: string): string {
  return stream(tenant, 'monitor', monitorId);
}

export function nameStream(tenant: string, monitor: string): string {
  return stream(tenant, 'monitor-name', monitor);
}
