import type { ModelOrigin, RegisteredModelEvent } from '@mledger/contracts';
import type { Recorded, Refusal } from '@mledger/event-log';
import type { GateEvidence } from '../src/registered-model/gates';
import { absentModel, type RegisteredModelState } from '../src/registered-model/model-state';
import { registeredModelDecider, type RegisteredModelCommand } from '../src/registered-model/registered-model';

export const noEvidence: GateEvidence = { versions: [], observations: [] };

export const origin = (name: string): ModelOrigin => ({
  source: `runs:/${name}/model`,
  artifactLocation: `mlflow-artifacts:/1/${name}/artifacts/model`,
  runId: name,
  experimentId: '1',
  loggedModelId: null,
  manifestSha256: null,
  files: [{ path: 'MLmodel', objectKey: `default/experiments/1/aa/${name}`, sizeBytes: 12, sha256: 'ab' }],
});

/** A model's stream in memory: commands in, events out, as the log would number and stamp them. */
export class ModelHistory {
  state: RegisteredModelState = absentModel;
  readonly events: Recorded<RegisteredModelEvent>[] = [];

  /** Issues a command that has to be accepted; answers the events that followed. */
  do(command: RegisteredModelCommand, actor = 'user:ana'): Recorded<RegisteredModelEvent>[] {
    const outcome = this.try(command, actor);
    if ('refusal' in outcome) throw new Error(outcome.refusal.message);
    return outcome.events;
  }

  try(
    command: RegisteredModelCommand,
    actor = 'user:ana',
  ): { events: Recorded<RegisteredModelEvent>[] } | { refusal: Refusal } {
    const decision = registeredModelDecider.decide(this.state, command);
    if ('refusal' in decision) return decision;
    const events = decision.events.map((event) => this.record(event, actor));
    this.state = events.reduce(registeredModelDecider.evolve, this.state);
    return { events };
  }

  private record(event: RegisteredModelEvent, actor: string): Recorded<RegisteredModelEvent> {
    const version = this.events.length + 1;
    const recorded = {
      ...event,
      ...{ id: `e${version}`, stream: 'acme/model:m1', version, schema: 1, tenant: 'acme', actor },
      ...{ cause: 'request', correlation: 'c', time: new Date(1_700_000_000_000 + version).toISOString() },
    } as Recorded<RegisteredModelEvent>;
    this.events.push(recorded);
    return recorded;
  }
}

/** A registered model with as many versions, made by ana. */
export function modelWith(versions: number): ModelHistory {
  const history = new ModelHistory();
  history.do({ type: 'RegisterModel', modelId: 'm1', name: 'delay', description: '', tags: [] });
  for (let n = 1; n <= versions; n += 1) {
    history.do({ type: 'CreateVersion', origin: origin(`run${n}`), runLink: '', description: '', tags: [] });
  }
  return history;
}
