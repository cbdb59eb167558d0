import {
  type AnyJson,
  startTestService,
  type TestService,
  type TestServiceOptions,
} from '@mledger/service-kit/testing';
import { experimentsService } from '../src/experiments.definition';

export interface Answer {
  readonly status: number;
  readonly body: AnyJson;
}

/** The service under test, and its MLflow API in as few words as a test needs. */
export interface TestApi extends TestService {
  get(path: string, query?: Record<string, string | string[]>): Promise<Answer>;
  post(path: string, body?: object): Promise<Answer>;
  patch(path: string, body?: object): Promise<Answer>;
  delete(path: string, body?: object): Promise<Answer>;
  newExperiment(name?: string): Promise<string>;
  newRun(experimentId: string, fields?: object): Promise<string>;
}

export async function startApi(options?: TestServiceOptions): Promise<TestApi> {
  const service = await startTestService(experimentsService, options);
  const call = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, rest: object): Promise<Answer> => {
    const url = path.startsWith('/') ? path : `/api/2.0/mlflow/${path}`;
    const answer = await service.inject({ method, url, ...rest });
    const isJson = String(answer.headers['content-type']).startsWith('application/json');
    return { status: answer.statusCode, body: isJson ? answer.json() : answer.body };
  };
  const post = (path: string, body: object = {}) => call('POST', path, { payload: body });
  let names = 0;
  return {
    ...service,
    get: (path, query = {}) => call('GET', path, { query }),
    post,
    patch: (path, body = {}) => call('PATCH', path, { payload: body }),
    delete: (path, body = {}) => call('DELETE', path, { payload: body }),
    newExperiment: async (name = `experiment ${(names += 1)}`) =>
      (await post('experiments/create', { name })).body.experiment_id as string,
    newRun: async (experimentId, fields = {}) =>
      (await post('runs/create', { experiment_id: experimentId, ...fields })).body.run.info.run_id as string,
  };
}
