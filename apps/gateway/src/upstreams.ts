import { SERVICE_NAMES, type ServiceName } from '@mledger/contracts';

/** The replicas of each service, as the environment names them; asked in turn. */
export class Upstreams {
  private readonly next = new Map<ServiceName, number>();

  constructor(private readonly replicas: Readonly<Record<ServiceName, readonly URL[]>>) {}

  /**
   * Reads MLEDGER_<SERVICE>_URL of every service: one URL, or several with commas between them.
   *
   * @throws an error that names every variable that is missing or is not a plain http URL.
   */
  static fromEnvironment(environment: NodeJS.ProcessEnv): Upstreams {
    const faults: string[] = [];
    const replicas = {} as Record<ServiceName, URL[]>;
    for (const service of SERVICE_NAMES) {
      const variable = `MLEDGER_${service.toUpperCase()}_URL`;
      const texts = (environment[variable] ?? '').split(',').filter((text) => text.trim() !== '');
      if (texts.length === 0) faults.push(`${variable} is not set: where does ${service} listen?`);
      replicas[service] = texts.flatMap((text) => {
        const url = URL.parse(text.trim());
        if (url?.protocol === 'http:' && url.pathname === '/' && url.search === '') return [url];
        faults.push(`${variable} holds ${text.trim()}, which is not of the form http://host:port`);
        return [];
      });
    }
    if (faults.length > 0) throw new Error(faults.join('\n'));
    return new Upstreams(replicas);
  }

  /** A service's replicas, beginning with the one whose turn it is. */
  inTurn(service: ServiceName): readonly URL[] {
    const urls = this.replicas[service];
    const first = (this.next.get(service) ?? 0) % urls.length;
    this.next.set(service, first + 1);
    return [...urls.slice(first), ...urls.slice(0, first)];
  }
}
