const fs = require('node:fs');
const path = require('node:path');
const { startS3, FolderHeldError } = require('../index.cjs');
const { describeWith } = require('../jest.cjs');
const { newFolder, holdInProcess, isRunning, killGuardOf } = require('./processes.cjs');

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
const { S3Client, PutObjectCommand, GetObjectCommand, ListBucketsCommand } = require('@aws-sdk/client-s3');

function clientOf({ endpoint, region, accessKeyId, secretAccessKey }) {
  return new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
}

describeWith(['s3'], 'The S3 server', () => {
  const folder = newFolder();
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('stores, finds its objects and credentials again, and refuses a wrong secret', async () => {
    const dataFolder = path.join(folder, 'again');
    const first = await startS3({ dataFolder, buckets: ['one', 'two'] });
    const client = clientOf(first);
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toEqual(['one', 'two']);
    await client.send(new PutObjectCommand({ Bucket: 'one', Key: 'a/b', Body: 'content', Metadata: { kind: 'test' } }));
    client.destroy();
    await first.stop();
    await first.stop();

    const second = await startS3({ dataFolder });
    expect(second.secretAccessKey).toBe(first.secretAccessKey);
    const found = await clientOf(second).send(new GetObjectCommand({ Bucket: 'one', Key: 'a/b' }));
    expect(await found.Body.transformToString()).toBe('content');
    expect(found.Metadata).toEqual({ kind: 'test' });
    const stranger = clientOf({ ...second, secretAccessKey: 'wrong' });
    await expect(stranger.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    expect(fs.statSync(path.join(dataFolder, 'credentials.json')).mode & 0o777).toBe(0o600);
    await second.stop();
  });

  it('tells what ended it', async () => {
    const server = await startS3({ dataFolder: path.join(folder, 'killed') });
    process.kill(server.pid, 'SIGKILL');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await server.stop();
  });

  it('stops an orphan of a killed process before it starts', async () => {
    const dataFolder = path.join(folder, 'orphan');
    const holder = holdInProcess('s3', dataFolder);
    const { pid } = await holder.started();
    await expect(startS3({ dataFolder })).rejects.toBeInstanceOf(FolderHeldError);
    killGuardOf(pid);
    await holder.die();
    expect(isRunning(pid)).toBe(true);
    const server = await startS3({ dataFolder });
    expect(isRunning(pid)).toBe(false);
    await server.stop();
  });
});
