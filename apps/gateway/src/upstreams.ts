import type { ServiceName } from '@mledger/contracts';
import { ConfigError } from '@mledger/service-kit';

/** The replicas of each service, asked in turn. */
export class Upstreams {
  private readonly next = new Map<ServiceName, number>();
  private readonly replicas: ReadonlyMap<ServiceName, readonly URL[]>;

  /** @throws ConfigError that names every variable that is missing */
  constructor(serviceUrls: Readonly<Record<ServiceName, readonly string[]>>) {
    const entries = Object.entries(serviceUrls) as [ServiceName, readonly string[]][];
    const missing = entries.filter(([, urls]) => urls.length === 0);
    if (missing.length > 0) {
      throw new ConfigError(
        missing.map(([service]) => `MLEDGER_${service.toUpperCase()}_URL: is needed: where does ${service} listen?`),
      );
    }
    this.replicas = new Map(entries.map(([service, urls]) => [service, urls.map((url) => new URL(url))]));
  }

  /** A service's replicas, beginning with the one whose turn it is. */
  inTurn(service: ServiceName): readonly URL[] {
    const urls = this.replicas.get(service) ?? [];
    const first = (this.next.get(service) ?? 0) % urls.length;
    this.next.set(service, first + 1);
    return [...urls.slice(first), ...urls.slice(0, first)];
  }
}
