import type { StepCredentials } from '@mledger/access-control';
import type { PipelineRunState } from '../pipeline-run/pipeline-run';

export interface StepPlace {
  readonly tenant: string;
  readonly run: PipelineRunState;
  readonly step: string;
  readonly attempt: number;
  /** Where the step reaches the platform. */
  readonly url: string;
  /** The step's own working folder. */
  readonly folder: string;
  /** A JSON file: the outputs of each step that has succeeded, by name. */
  readonly outputsFile: string;
}

/** What a definition may not set: it says who the step is and where, and the platform decides that. */
const RESERVED = /^(MLEDGER_|MLFLOW_TRACKING_|MLFLOW_REGISTRY_URI$|AWS_|LAKECTL_|PATH$|HOME$|TMPDIR$)/;

export function isReservedVariable(name: string): boolean {
  return RESERVED.test(name);
}

/**
 * All of a step's environment. Nothing of the service's own passes but where programs are found: it holds the master key
 * and the passwords of databases.
 */
export function stepEnvironment(place: StepPlace, credentials: StepCredentials, path: string): Record<string, string> {
  const { tenant, run, step, attempt, url, folder, outputsFile } = place;
  const { env } = run.steps.get(step)!.definition;
  return {
    LANG: 'C.UTF-8',
    ...env,
    ...{ PATH: path, HOME: folder, TMPDIR: folder },
    ...{ MLEDGER_URL: url, MLEDGER_TOKEN: credentials.token, MLEDGER_TENANT: tenant },
    ...{ MLEDGER_PIPELINE: run.pipeline, MLEDGER_PIPELINE_RUN_ID: run.pipelineRunId },
    ...{ MLEDGER_STEP: step, MLEDGER_ATTEMPT: String(attempt), MLEDGER_OUTPUTS_FILE: outputsFile },
    ...{ MLFLOW_TRACKING_URI: url, MLFLOW_TRACKING_TOKEN: credentials.token, MLFLOW_REGISTRY_URI: url },
    ...{ LAKECTL_SERVER_ENDPOINT_URL: url, LAKECTL_CREDENTIALS_SESSION_TOKEN: credentials.token },
    ...{ AWS_ENDPOINT_URL_S3: url, AWS_DEFAULT_REGION: 'us-east-1', AWS_REGION: 'us-east-1' },
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
  };
}
