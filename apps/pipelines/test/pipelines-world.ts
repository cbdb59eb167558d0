import { randomUUID } from 'node:crypto';
import { catalogOf, monitoringEvents, type MonitoringEvent } from '@mledger/contracts';
import { Relay } from '@mledger/event-bus';
import { openEventLog, stream, type Recorded } from '@mledger/event-log';
import { Logger } from '@mledger/service-kit';
import { type AnyJson, eventually, startTestService, type TestService } from '@mledger/service-kit/testing';
import { pipelinesService } from '../src/pipelines.definition';

export interface Answer {
  readonly status: number;
  readonly body: AnyJson;
}

/** Runs this JavaScript as a step, with nothing but Node. */
export function node(script: string): string[] {
  return [process.execPath, '-e', script];
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The pipelines service on a real database and bus, and a monitoring service's log that the test writes. */
export class PipelinesWorld {
  private constructor(
    readonly kit: TestService,
    private readonly monitoring: {
      tell(event: MonitoringEvent, correlation: string): Promise<void>;
      stop(): Promise<void>;
    },
  ) {}

  static async start(env: Record<string, string> = {}): Promise<PipelinesWorld> {
    const kit = await startTestService(pipelinesService, { env });
    return new PipelinesWorld(kit, await openMonitoring(kit));
  }

  async stop(): Promise<void> {
    await this.monitoring.stop();
    await this.kit.stop();
  }

  async call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, headers = {}): Promise<Answer> {
    const url = `/api/mledger/v1/${path}`;
    const response = await this.kit.inject({ method, url, headers, ...(body && { payload: body }) });
    const isJson = String(response.headers['content-type']).includes('json');
    return { status: response.statusCode, body: isJson ? response.json() : response.body };
  }

  async define(name: string, steps: object[], more = {}): Promise<void> {
    const { status, body } = await this.call('PUT', `pipelines/${name}`, { steps, ...more });
    if (status !== 200) throw new Error(JSON.stringify(body));
  }

  /** Begins a run. @returns its id */
  async trigger(name: string): Promise<string> {
    const { status, body } = await this.call('POST', `pipelines/${name}/runs`);
    if (status !== 201) throw new Error(JSON.stringify(body));
    return body.pipelineRunId;
  }

  async run(pipelineRunId: string, headers = {}): Promise<Answer['body']> {
    return (await this.call('GET', `pipeline-runs/${pipelineRunId}`, undefined, headers)).body;
  }

  /** Waits for the run's end. */
  async ended(pipelineRunId: string, headers = {}): Promise<Answer['body']> {
    return eventually(async () => {
      const run = await this.run(pipelineRunId, headers);
      if (run.status === 'running') throw new Error(`still running: ${JSON.stringify(run.steps)}`);
      return run;
    }, 30_000);
  }

  async runOnce(name: string): Promise<Answer['body']> {
    return this.ended(await this.trigger(name));
  }

  async logOf(pipelineRunId: string, step: string): Promise<string> {
    return (await this.call('GET', `pipeline-runs/${pipelineRunId}/logs?step=${step}`)).body;
  }

  async eventsOf(pipelineRunId: string): Promise<Recorded[]> {
    return this.kit.service.log.store.readStream(stream('default', 'pipeline-run', pipelineRunId));
  }

  /** Tells of drift. @returns the correlation of the event */
  async drift(monitor: string): Promise<string> {
    const correlation = randomUUID();
    const definition = monitoringEvents.find(({ type }) => type === 'DriftDetected')!;
    const data = { ...definition.example, monitorId: monitor, monitor };
    await this.monitoring.tell({ type: 'DriftDetected', data } as MonitoringEvent, correlation);
    return correlation;
  }
}

async function openMonitoring({ runtime }: TestService) {
  const service = 'monitoring';
  const log = await openEventLog({
    ...{ service, url: runtime.databaseUrl, catalog: catalogOf(service), projections: [], poolSizeMax: 2 },
  });
  log.start();
  const relay = new Relay({ service, log, bus: runtime.bus, logger: Logger.create({ service, level: 'warn' }) });
  await relay.start();
  return {
    async tell(event: MonitoringEvent, correlation: string) {
      const context = { tenant: 'default', actor: 'service:monitoring', cause: 'test', correlation };
      await log.store.appendBlind(stream('default', 'monitor', 'm1'), [event], context);
    },
    async stop() {
      await relay.stop();
      await log.stop();
    },
  };
}
