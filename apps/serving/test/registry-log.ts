import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogOf, type RegisteredModelEvent } from '@mledger/contracts';
import { Relay } from '@mledger/event-bus';
import { openEventLog, stream, type EventLog } from '@mledger/event-log';
import { newObjectKey } from '@mledger/object-store';
import { Logger, type Runtime } from '@mledger/service-kit';

type AliasMoved = Extract<RegisteredModelEvent, { type: 'AliasMoved' }>;

/** The events of a registry, on a real log and the real bus: what serving knows of registered models. */
export class RegistryLog {
  private readonly registered = new Set<string>();

  private constructor(
    private readonly log: EventLog,
    private readonly relay: Relay,
    private readonly runtime: Runtime,
  ) {}

  static async open(runtime: Runtime): Promise<RegistryLog> {
    const log = await openEventLog({
      service: 'registry',
      url: runtime.databaseUrl,
      catalog: catalogOf('registry'),
      projections: [],
      poolSizeMax: 2,
    });
    await log.start();
    const logger = Logger.create({ service: 'registry', level: 'warn' });
    const relay = new Relay({ service: 'registry', log, bus: runtime.bus, logger });
    await relay.start();
    return new RegistryLog(log, relay, runtime);
  }

  /** Registers a version whose one file is a fixture, or these bytes. */
  async createVersion(
    model: string,
    version: number,
    graph: string | Buffer,
    modelId = model,
  ): Promise<AliasMoved['data']> {
    const bytes = typeof graph === 'string' ? readFileSync(join(__dirname, 'fixtures', graph)) : graph;
    const objectKey = newObjectKey({ tenant: 'default', service: 'experiments', ownerId: '1', id: randomUUID() });
    await this.runtime.objectStore.put(objectKey, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const origin = {
      source: 'models:/m-1',
      runId: 'run-1',
      experimentId: '1',
      loggedModelId: 'm-1',
      manifestSha256: null,
      artifactLocation: 'mlflow-artifacts:/1/models/m-1/artifacts',
      files: [{ path: 'model.onnx', objectKey, sizeBytes: bytes.byteLength, sha256 }],
    };
    const created = {
      modelId,
      model,
      version,
      ...origin,
      runLink: '',
      description: '',
      tags: [],
      userId: 'ana',
    };
    if (!this.registered.has(modelId)) {
      await this.append(modelId, { type: 'ModelRegistered', data: { modelId, model, description: '', tags: [] } });
      this.registered.add(modelId);
    }
    await this.append(modelId, { type: 'ModelVersionCreated', data: created });
    const moved = { modelId, model, alias: 'champion', fromVersion: null, toVersion: version };
    return { ...moved, reason: 'better', promotionId: null, ...origin } as AliasMoved['data'];
  }

  async moveAlias(data: AliasMoved['data']): Promise<void> {
    await this.append(data.modelId, { type: 'AliasMoved', data });
  }

  async renameModel(model: string, toName: string): Promise<void> {
    await this.append(model, { type: 'ModelRenamed', data: { modelId: model, model, toName } });
  }

  async deleteModel(model: string, versions: number[]): Promise<void> {
    await this.append(model, { type: 'ModelDeleted', data: { modelId: model, model, versions } });
  }

  async deleteVersion(model: string, version: number): Promise<void> {
    await this.append(model, { type: 'ModelVersionDeleted', data: { modelId: model, model, version } });
  }

  async stop(): Promise<void> {
    await this.relay.stop();
    await this.log.stop();
  }

  private async append(modelId: string, event: RegisteredModelEvent): Promise<void> {
    const context = { tenant: 'default', actor: 'user:ana', cause: 'test', correlation: randomUUID() };
    await this.log.store.appendBlind(stream('default', 'model', modelId), [event], context);
  }
}
