import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiError, Caller, readBody, type FastifyRequest } from '@mledger/service-kit';
import { INFER_BYTES_MAX } from '../oip/oip.controller';
import { Predictor } from '../inference/predictor';
import { TensorInvalid } from '../inference/tensor';
import { readScoringCsv, readScoringJson, tensorsOf, type ScoringInput } from './scoring-input';
import { predictionsOf } from './scoring-output';

/** MLflow's scoring protocol, as its own model servers speak it. */
@Controller('endpoints')
export class InvocationsController {
  constructor(private readonly predictor: Predictor) {}

  @Post(':name/invocations')
  @HttpCode(200)
  async invoke(@Param('name') name: string, @Req() request: FastifyRequest, @Caller() caller: Caller): Promise<object> {
    const read = readerOf(request.headers['content-type']);
    const body = await readBody(request.raw, request.headers, INFER_BYTES_MAX);
    const input = readInput(read, body);
    const prediction = await this.predictor.predict(
      {
        endpoint: name,
        clientRequestId: undefined,
        inputs: ({ inputs }) => tensorsOf(input, inputs),
        outputs: undefined,
      },
      caller,
    );
    return { predictions: predictionsOf(prediction.outputs, isOfColumns(input)) };
  }
}

type Reader = (bytes: Buffer) => ScoringInput;

/** @throws ApiError 415 for another content type, charset or content-type parameter, as MLflow's own server */
function readerOf(contentType: string | undefined): Reader {
  const [type, ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  const others = parameters.filter((parameter) => !/^charset="?utf-?8"?$/.test(parameter));
  if (others.length > 0) throw ApiError.unsupportedMediaType(`content-type parameter ${others[0]} is not supported`);
  if (type === 'application/json') return readScoringJson;
  if (type === 'text/csv') return readScoringCsv;
  throw ApiError.unsupportedMediaType('this predictor supports application/json and text/csv');
}

function readInput(read: Reader, bytes: Buffer): ScoringInput {
  try {
    return read(bytes);
  } catch (error) {
    throw error instanceof TensorInvalid ? ApiError.invalid(error.message) : error;
  }
}

/** Tensors of one dimension, one an input, are columns by another name. */
function isOfColumns(input: ScoringInput): boolean {
  if (input.kind !== 'tensors') return input.kind === 'frame';
  return Object.values(input.byName).every((values) => Array.isArray(values) && !values.some(Array.isArray));
}
