import { Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiError, Caller, Lifecycle, readBody, type FastifyReply, type FastifyRequest } from '@mledger/service-kit';
import { EndpointDirectory } from '../endpoint/endpoint-directory';
import { ModelLoader } from '../inference/model-loader';
import { chooseRevision, Predictor, refusalOf } from '../inference/predictor';
import { TensorInvalid } from '../inference/tensor';
import { readInferRequest, type InferRequest } from './infer-request';
import { encodeInferResponse } from './infer-response';

export const INFER_BYTES_MAX = 64 * 1024 * 1024;

/**
 * The Open Inference Protocol V2 over REST: a model of the protocol is an endpoint, its versions are those of the
 * registered model.
 */
@Controller('v2')
export class OipController {
  constructor(
    private readonly predictor: Predictor,
    private readonly directory: EndpointDirectory,
    private readonly models: ModelLoader,
    private readonly lifecycle: Lifecycle,
  ) {}

  @Get()
  server(): object {
    return { name: 'mledger', version: '1', extensions: ['binary_tensor_data'] };
  }

  @Get('health/live')
  live(): object {
    return { live: true };
  }

  @Get('health/ready')
  async ready(): Promise<object> {
    const reasons = await this.lifecycle.unreadyReasons();
    if (reasons.length > 0) throw ApiError.unavailable('the server is not ready: /health/ready says why');
    return { ready: true };
  }

  @Get('models/:name')
  metadata(@Param('name') name: string, @Caller() caller: Caller): Promise<object> {
    return this.describe(name, undefined, caller);
  }

  @Get('models/:name/versions/:version')
  versionMetadata(
    @Param('name') name: string,
    @Param('version') version: string,
    @Caller() caller: Caller,
  ): Promise<object> {
    return this.describe(name, version, caller);
  }

  @Get('models/:name/ready')
  modelReady(@Param('name') name: string, @Caller() caller: Caller): Promise<object> {
    return this.readiness(name, undefined, caller);
  }

  @Get('models/:name/versions/:version/ready')
  versionReady(
    @Param('name') name: string,
    @Param('version') version: string,
    @Caller() caller: Caller,
  ): Promise<object> {
    return this.readiness(name, version, caller);
  }

  @Post('models/:name/infer')
  @HttpCode(200)
  infer(
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Caller() caller: Caller,
  ): Promise<void> {
    return this.answer({ name, version: undefined }, request, reply, caller);
  }

  @Post('models/:name/versions/:version/infer')
  @HttpCode(200)
  inferVersion(
    @Param() model: { name: string; version: string },
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Caller() caller: Caller,
  ): Promise<void> {
    return this.answer(model, request, reply, caller);
  }

  private async answer(
    model: { name: string; version: string | undefined },
    request: FastifyRequest,
    reply: FastifyReply,
    caller: Caller,
  ): Promise<void> {
    const body = await readBody(request.raw, request.headers, INFER_BYTES_MAX);
    const infer = readRequest(body, request.headers['inference-header-content-length']);
    const prediction = await this.predictor.predict(
      {
        endpoint: model.name,
        modelVersion: model.version,
        clientRequestId: infer.id,
        inputs: () => infer.inputs,
        outputs: infer.outputs?.map(({ name }) => name),
      },
      caller,
    );
    const { body: answer, jsonBytes } = encodeInferResponse({
      modelName: model.name,
      modelVersion: String(prediction.revision.servedModel.version),
      id: infer.id ?? prediction.requestId,
      outputs: prediction.outputs.map((tensor) => ({ tensor, binary: wantsBinary(infer, tensor.name) })),
    });
    if (jsonBytes !== undefined) reply.header('inference-header-content-length', String(jsonBytes));
    await reply.type(jsonBytes === undefined ? 'application/json' : 'application/octet-stream').send(answer);
  }

  private async describe(name: string, version: string | undefined, caller: Caller): Promise<object> {
    const endpoint = this.directory.get(caller.tenant, name);
    const { servedModel } = chooseRevision(endpoint, version, 0);
    const { inputs, outputs } = await this.models.ensure(servedModel).catch(refuse);
    const versions = [...new Set(endpoint.revisions.map((revision) => String(revision.servedModel.version)))];
    return { name, versions, platform: 'onnx_onnxv1', inputs, outputs };
  }

  private async readiness(name: string, version: string | undefined, caller: Caller): Promise<object> {
    const { servedModel } = chooseRevision(this.directory.get(caller.tenant, name), version, 0);
    await this.models.ensure(servedModel).catch(refuse);
    return { name, ready: true };
  }
}

function readRequest(body: Buffer, headerLength: string | string[] | undefined): InferRequest {
  try {
    return readInferRequest(body, headerLength === undefined ? undefined : Number(headerLength));
  } catch (error) {
    throw error instanceof TensorInvalid ? ApiError.invalid(error.message) : error;
  }
}

function refuse(error: unknown): never {
  throw refusalOf(error) ?? error;
}

function wantsBinary(infer: InferRequest, output: string): boolean {
  return infer.outputs?.find(({ name }) => name === output)?.binary ?? infer.binaryOutputs;
}
