import * as fc from 'fast-check';
import { parseModelSource, SOURCE_CHARACTERS_MAX } from './model-source';

const LOGGED = `m-${'0123456789abcdef'.repeat(2)}`;
const parse = (source: string) => parseModelSource(source, { prompt: false });

describe('a model source', () => {
  it.each([
    [`models:/${LOGGED}`, { kind: 'logged-model', loggedModelId: LOGGED }],
    ['models:/delay/3', { kind: 'version', model: 'delay', version: 3 }],
    ['models:/delay@champion', { kind: 'alias', model: 'delay', alias: 'champion' }],
    ['models:/delay/latest', { kind: 'latest', model: 'delay', stage: null }],
    ['models:/delay@latest', { kind: 'latest', model: 'delay', stage: null }],
    ['models:/delay/production', { kind: 'latest', model: 'delay', stage: 'Production' }],
    ['runs:/4f6ac1d0/model', { kind: 'run', runId: '4f6ac1d0', path: 'model' }],
    ['runs:/4f6ac1d0/nested/model/', { kind: 'run', runId: '4f6ac1d0', path: 'nested/model' }],
    ['mlflow-artifacts:/1/4f/artifacts/model', { kind: 'artifacts', uri: 'mlflow-artifacts:/1/4f/artifacts/model' }],
    ['s3://models/delay/1', { kind: 'bucket' }],
    ['abfss://models@account.dfs.core.windows.net/delay/1', { kind: 'bucket' }],
    ['wasbs://models@account.blob.core.windows.net/delay/1', { kind: 'bucket' }],
  ])('%s is understood', (source, expected) => expect(parse(source)).toEqual(expected));

  it.each([
    'file:///etc',
    'file:/etc/passwd',
    '/etc/passwd',
    'etc/passwd',
    '../../etc/passwd',
    'C:\\windows',
    'C:/windows',
    'http://169.254.169.254/latest/meta-data',
    'https://example.com/model',
    'ftp://example.com/model',
    'ftp:///etc/passwd',
    'hdfs://namenode/model',
    'mlflow-artifacts://example.com/1/r/artifacts',
    'mlflow-artifacts:///1/r/artifacts',
    'runs://example.com/4f/model',
    'models://example.com/m-0',
    'mlflow-artifacts:/1/r/artifacts/../../../../etc',
    'mlflow-artifacts:/1/r/artifacts/\\..\\..\\etc',
    'mlflow-artifacts:/1/r/artifacts/%2E%2E%2F%2E%2E',
    'mlflow-artifacts:/1/r/artifacts/%252E%252E%252F',
    'mlflow-artifacts:/1/r/artifacts/%25252525252E%25252525252E/x',
    'mlflow-artifacts:/1/r/artifacts/..%2f..%2f',
    'mlflow-artifacts:/1/r/artifacts#/../etc',
    'mlflow-artifacts:/1/r/artifacts?/../etc',
    'mlflow-artifacts:/1/r/artifacts/a;..%2F..%2Fetc',
    'mlflow-artifacts:/1/r/artifacts/%00',
    'mlflow-artifacts:/1/r/artifacts/\u0000',
    'mlflow-artifacts:/1/r/artifacts/%zz',
    'mlflow-artifacts:',
    'mlflow-artifacts:/',
    'runs:/4f//etc/passwd',
    'runs:/../model',
    'runs:/4f',
    's3://models/../other',
    's3:///etc',
    'models:/delay/0',
    'models:/delay/one',
    'models:/delay/1/MLmodel',
    '',
    's3://' + 'a'.repeat(SOURCE_CHARACTERS_MAX),
    'dummy-source',
  ])('no. %# is refused', (source) => {
    expect(parse(source)).toMatchObject({ refusal: { kind: 'invalid', code: 'INVALID_SOURCE' } });
  });

  it('of a prompt is a placeholder and nothing else', () => {
    expect(parseModelSource('dummy-source', { prompt: true })).toEqual({ kind: 'prompt' });
    for (const source of ['file:///etc', '/etc', `models:/${LOGGED}`]) {
      expect(parseModelSource(source, { prompt: true })).toHaveProperty('refusal');
    }
  });

  it('never accepts a text with a step upwards, however it is encoded', () => {
    const encode = fc.constantFrom(
      (text: string) => text,
      (text: string) => text.replaceAll('.', '%2e'),
      (text: string) => text.replaceAll('.', '%2E').replaceAll('/', '%2f'),
      (text: string) => encodeURIComponent(text.replaceAll('.', '%2E')),
    );
    const prefix = fc.constantFrom(
      'mlflow-artifacts:/1/r/artifacts/',
      'runs:/4f/',
      's3://bucket/',
      'models:/',
      'dbfs:/',
    );
    fc.assert(
      fc.property(prefix, encode, fc.webPath(), (start, encoded, rest) => {
        expect(parse(`${start}${encoded('../')}${rest}`)).toHaveProperty('refusal');
      }),
    );
  });
});
