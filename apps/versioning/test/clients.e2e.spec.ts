import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '@mledger/infra';
import { describeWith } from '@mledger/infra/jest';
import { startTestService, type TestService } from '@mledger/service-kit/testing';
import { versioningService } from '../src/versioning.definition';

const REQUIREMENTS = ['lakefs==0.16.0', 'boto3', 'pandas', 'pyarrow', 's3fs', 'requests'];
const INSTALL_MS_MAX = 600_000;

describeWith(['python'], 'the clients people use, unpatched', () => {
  let service: TestService;
  let python: string;
  beforeAll(async () => {
    ({ python } = await pythonEnvironment({ name: 'versioning-clients', requirements: REQUIREMENTS }));
    service = await startTestService(versioningService, { listen: true });
  }, INSTALL_MS_MAX);
  afterAll(() => service.stop());

  it(
    'work: lakefs, lakefs_sdk, boto3, pandas, s3fs, pyarrow',
    async () => {
      const { keyId, secret } = await service.access!.issueKey({ roles: ['admin'] });
      const env = {
        PATH: process.env.PATH,
        HOME: '/nonexistent',
        MLEDGER_URL: service.url,
        KEY_ID: keyId,
        SECRET: secret,
      };
      const script = path.join(__dirname, 'clients.py');
      const { stdout } = await promisify(execFile)(python, [script], { env, timeout: INSTALL_MS_MAX });
      expect(stdout.trim()).toBe('ok');
    },
    INSTALL_MS_MAX,
  );
});
