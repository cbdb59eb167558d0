import type { Credentials } from './live-events';

export interface ClientLines {
  readonly client: string;
  readonly lines: string;
}

/** What to paste for each client, with this server's own address. */
export function clientLines(origin: string, credentials: Credentials | undefined): readonly ClientLines[] {
  const keyId = credentials?.keyId ?? '<key id>';
  const secret = credentials?.secret ?? '<secret>';
  const host = new URL(origin).host;
  return [
    {
      client: 'mlflow',
      lines: [
        'import mlflow',
        `mlflow.set_tracking_uri("${origin}")`,
        ...(credentials ? [`# export MLFLOW_TRACKING_USERNAME=${keyId} MLFLOW_TRACKING_PASSWORD=${secret}`] : []),
        'mlflow.sklearn.autolog()',
      ].join('\n'),
    },
    {
      client: 'lakefs',
      lines: [
        'import lakefs',
        'from lakefs.client import Client',
        `client = Client(host="${origin}", username="${keyId}", password="${secret}")`,
        'repo = lakefs.Repository("flights", client=client).create(storage_namespace="local:///flights")',
      ].join('\n'),
    },
    {
      client: 'boto3',
      lines: [
        'import boto3',
        `s3 = boto3.client("s3", endpoint_url="${origin}", region_name="us-east-1",`,
        `    aws_access_key_id="${keyId}", aws_secret_access_key="${secret}")`,
        's3.get_object(Bucket="flights", Key="main/flights/2013-01.parquet")',
      ].join('\n'),
    },
    {
      client: 'tritonclient',
      lines: [
        'import tritonclient.http as triton',
        `client = triton.InferenceServerClient("${host}")`,
        'client.get_model_metadata("delay")',
      ].join('\n'),
    },
    {
      client: 'curl',
      lines: `curl -s ${credentials ? `-u ${keyId}:${secret} ` : ''}'${origin}/api/mledger/v1/events'`,
    },
  ];
}
