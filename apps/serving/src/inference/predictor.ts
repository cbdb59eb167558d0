import { Injectable } from '@nestjs/common';
import type { PredictionPayload } from '@mledger/contracts';
import { ApiError, Clock, Ids, type Caller } from '@mledger/service-kit';
import { EndpointDirectory } from '../endpoint/endpoint-directory';
import { revisionOf, type Endpoint, type Revision } from '../endpoint/endpoint';
import { PayloadPublisher } from '../payloads/payload-publisher';
import { ModelLoader } from './model-loader';
import { RunAborted } from './inference-worker';
import { ModelUnusable, PoolOverloaded, type ModelSignature } from './session-pool';
import { checkInputs } from './signature';
import { TensorInvalid, valuesOf, type Tensor } from './tensor';

export interface PredictionRequest {
  readonly endpoint: string;
  /** A registered model's version, to ask one revision and not whom the traffic shares choose. */
  readonly modelVersion?: string;
  readonly clientRequestId: string | undefined;
  /** Reads the request's tensors, which some protocols can do only when they know what the model takes. */
  readonly inputs: (signature: ModelSignature) => readonly Tensor[];
  /** Names of the outputs wanted; undefined or none: all. */
  readonly outputs: readonly string[] | undefined;
}

export interface Prediction {
  readonly requestId: string;
  readonly endpoint: Endpoint;
  readonly revision: Revision;
  readonly outputs: readonly Tensor[];
}

interface Outcome {
  readonly status: number;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly error: string | null;
}

/** Answers requests to endpoints: chooses the revision, runs it, and has the payload published before anybody is answered. */
@Injectable()
export class Predictor {
  constructor(
    private readonly directory: EndpointDirectory,
    private readonly models: ModelLoader,
    private readonly payloads: PayloadPublisher,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /**
   * Predicts with one revision of an endpoint.
   *
   * @throws ApiError 404 for an unknown endpoint or version, 400 for tensors that the model does not take, 503 while
   *   nothing is deployed or too many requests wait, 504 for a model that does not end
   */
  async predict(request: PredictionRequest, caller: Caller): Promise<Prediction> {
    const endpoint = this.directory.get(caller.tenant, request.endpoint);
    const revision = chooseRevision(endpoint, request.modelVersion, Math.random());
    // The one that the edge gives with every answer, a refusal too: by it the ledger is asked.
    const { requestId } = caller;
    const identity = { requestId, endpoint, revision, request, caller, shadow: false };
    const startedMs = performance.now();
    let inputs: readonly Tensor[] = [];
    try {
      const signature = await this.models.ensure(revision.servedModel);
      inputs = request.inputs(signature);
      checkInputs(signature.inputs, inputs);
      const outputs = await this.models.run(revision.servedModel, inputs, outputNames(signature, request.outputs));
      await this.publish(identity, { status: 200, inputs, outputs, error: null }, startedMs);
      this.runShadows(identity, inputs);
      return { requestId, endpoint, revision, outputs };
    } catch (error) {
      const refusal = refusalOf(error);
      const { status, message } = refusal ?? INTERNAL;
      await this.publish(identity, { status, inputs, outputs: [], error: message }, startedMs);
      // What nobody foresaw goes on as it is: the edge logs it, and tells nobody what is inside.
      throw refusal ?? error;
    }
  }

  /** Shadows answer nobody: what they would have said goes to the payloads, and their errors too. */
  private runShadows(identity: PayloadIdentity, inputs: readonly Tensor[]): void {
    for (const shadow of identity.endpoint.shadows) {
      const revision = revisionOf(identity.endpoint, shadow);
      if (revision) void this.runShadow({ ...identity, revision, requestId: this.ids.uuidv7(), shadow: true }, inputs);
    }
  }

  private async runShadow(identity: PayloadIdentity, inputs: readonly Tensor[]): Promise<void> {
    const startedMs = performance.now();
    const outcome = await this.shadowOutcome(identity.revision, inputs);
    await this.publish(identity, outcome, startedMs).catch(() => undefined);
  }

  private async shadowOutcome({ servedModel }: Revision, inputs: readonly Tensor[]): Promise<Outcome> {
    try {
      const signature = await this.models.ensure(servedModel);
      checkInputs(signature.inputs, inputs);
      const outputs = await this.models.run(servedModel, inputs, outputNames(signature, undefined));
      return { status: 200, inputs, outputs, error: null };
    } catch (error) {
      const { status, message } = refusalOf(error) ?? INTERNAL;
      return { status, inputs, outputs: [], error: message };
    }
  }

  private publish(identity: PayloadIdentity, outcome: Outcome, startedMs: number): Promise<void> {
    const durationMs = Math.round((performance.now() - startedMs) * 1000) / 1000;
    return this.payloads.publish(payloadOf(identity, outcome, this.clock.now(), durationMs));
  }
}

interface PayloadIdentity {
  readonly requestId: string;
  readonly endpoint: Endpoint;
  readonly revision: Revision;
  readonly request: PredictionRequest;
  readonly caller: Caller;
  readonly shadow: boolean;
}

function payloadOf(identity: PayloadIdentity, outcome: Outcome, time: string, durationMs: number): PredictionPayload {
  const { requestId, endpoint, revision, request, caller, shadow } = identity;
  const { modelId, model, version } = revision.servedModel;
  const recorded = (tensor: Tensor) => ({
    name: tensor.name,
    datatype: tensor.datatype,
    shape: [...tensor.shape],
    data: valuesOf(tensor),
  });
  return {
    requestId,
    clientRequestId: request.clientRequestId ?? null,
    tenant: caller.tenant,
    actor: caller.actor,
    correlation: caller.correlation,
    endpointId: endpoint.endpointId,
    endpoint: endpoint.endpoint,
    revision: revision.revision,
    modelId,
    model,
    modelVersion: version,
    time,
    durationMs,
    status: outcome.status,
    shadow,
    inputs: outcome.inputs.map(recorded),
    outputs: outcome.outputs.map(recorded),
    error: outcome.error,
    tensors: null,
  };
}

/**
 * The revision that answers: the one of a named version, else by the traffic shares.
 *
 * @param random in [0, 1)
 */
export function chooseRevision(endpoint: Endpoint, modelVersion: string | undefined, random: number): Revision {
  if (modelVersion !== undefined) {
    const named = endpoint.revisions.findLast(({ servedModel }) => String(servedModel.version) === modelVersion);
    if (named) return named;
    throw ApiError.notFound(`endpoint ${endpoint.endpoint} serves no version ${modelVersion}`);
  }
  let rest = random * 100;
  const share = endpoint.shares.find(({ percent }) => (rest -= percent) < 0) ?? endpoint.shares.at(-1);
  const revision = share && revisionOf(endpoint, share.revision);
  if (revision) return revision;
  throw ApiError.unavailable(`endpoint ${endpoint.endpoint} has no revision yet: it waits for ${followed(endpoint)}`);
}

function followed({ follows }: Endpoint): string {
  return follows.alias === null
    ? `models:/${follows.model}/${follows.version}`
    : `models:/${follows.model}@${follows.alias}`;
}

function outputNames(signature: ModelSignature, wanted: readonly string[] | undefined): readonly string[] {
  const names = signature.outputs.map(({ name }) => name);
  const unknown = wanted?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new TensorInvalid(`the model has no output ${unknown}; it gives ${names.join(', ')}`);
  return wanted?.length ? wanted : names;
}

/** What is published of an error that nobody foresaw. */
const INTERNAL = { status: 500, message: 'the prediction failed inside the server' };

/** What a caller is told of an error; undefined for one that nobody foresaw. */
export function refusalOf(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof TensorInvalid) return ApiError.invalid(error.message);
  if (error instanceof PoolOverloaded) return ApiError.unavailable(error.message);
  if (error instanceof RunAborted) {
    const status = error.reason === 'too-long' ? 504 : 500;
    return new ApiError({ status, code: 'RUN_ABORTED', message: error.message });
  }
  if (error instanceof ModelUnusable) return ApiError.unavailable('the model that is deployed cannot be loaded');
  return undefined;
}
