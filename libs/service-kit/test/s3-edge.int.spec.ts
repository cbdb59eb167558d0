import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { AccessControl } from '@mledger/access-control';
import { eventually, startTestService, type TestKey, type TestService } from '../src/testing';
import { lakefsProbe, reached } from './probes';

/** The unmodified AWS SDK against the edge; what S3 does with a request lies behind it. */
describe('the edge for S3', () => {
  let test: TestService;
  let key: TestKey;
  let client: S3Client;

  const clientOf = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
    new S3Client({ endpoint: test.url, region: 'eu-west-7', forcePathStyle: true, credentials, maxAttempts: 1 });

  beforeAll(async () => {
    test = await startTestService(lakefsProbe, { listen: true, env: { MLEDGER_AUTH: 'keys' } });
    key = await test.access!.issueKey({ roles: ['contributor'] });
    client = clientOf({ accessKeyId: key.keyId, secretAccessKey: key.secret });
    // The key travels over the bus first.
    await eventually(() => client.send(new ListBucketsCommand({})));
  });
  afterAll(() => test.stop());
  beforeEach(() => {
    reached.length = 0;
  });

  const content = 'carrier,delay\n'.repeat(10_000);

  it.each([
    ['with its hash signed', { Body: content }],
    ['as a stream with a trailing CRC32', { Body: Readable.from([content]), ChecksumAlgorithm: 'CRC32' as const }],
    ['as a stream with a trailing CRC64', { Body: Readable.from([content]), ChecksumAlgorithm: 'CRC32C' as const }],
    ['as a stream with a trailing SHA-256', { Body: Readable.from([content]), ChecksumAlgorithm: 'SHA256' as const }],
    ['with an MD5', { Body: content, ContentMD5: createHash('md5').update(content).digest('base64') }],
  ])('takes a body %s', async (_name, input) => {
    const length = input.Body instanceof Readable ? { ContentLength: content.length } : {};
    await client.send(new PutObjectCommand({ Bucket: 'flights', Key: 'main/a b+c/ü.csv', ...length, ...input }));
    expect(reached).toEqual([content]);
  });

  it('refuses a body that is not what its MD5 says, after which nothing is stored', async () => {
    const put = new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: content, ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' });
    await expect(client.send(put)).rejects.toMatchObject({ name: 'BadDigest', $metadata: { httpStatusCode: 400 } });
    expect(reached).toEqual([]);
  });

  it('takes a presigned URL until somebody changes it', async () => {
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'api', Key: 'v1/config' }), {
      expiresIn: 60,
    });
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { target: string }).target).toBe(url.slice(test.url.length));
    const changed = await fetch(url.replace('config', 'secret'));
    expect(changed.status).toBe(403);
    expect(await changed.text()).toContain('<Code>SignatureDoesNotMatch</Code>');
  });

  it.each([
    ['a wrong secret', () => ({ accessKeyId: key.keyId, secretAccessKey: 'x'.repeat(40) }), 'SignatureDoesNotMatch'],
    ['an unknown key', () => ({ accessKeyId: 'AKIAJNOBODY', secretAccessKey: key.secret }), 'InvalidAccessKeyId'],
  ])('refuses %s in S3’s form', async (_name, credentials, name) => {
    const put = new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'x' });
    await expect(clientOf(credentials()).send(put)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 403 } });
    expect(reached).toEqual([]);
  });

  it('asks for the role, and tells an absent key as S3 does', async () => {
    const reader = await test.access!.issueKey({ roles: ['reader'] });
    const reading = clientOf({ accessKeyId: reader.keyId, secretAccessKey: reader.secret });
    await eventually(() => reading.send(new ListBucketsCommand({})));
    const put = new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'x' });
    await expect(reading.send(put)).rejects.toMatchObject({ name: 'AccessDenied' });
    const get = new GetObjectCommand({ Bucket: 'b', Key: 'missing' });
    await expect(reading.send(get)).rejects.toMatchObject({ name: 'NoSuchKey', message: 'The <key> does not exist' });
  });

  it('takes the temporary credentials of a pipeline’s step, as long as its definer may', async () => {
    const definer = await test.access!.issueKey({ roles: ['contributor'] });
    const access = test.service.app.get(AccessControl);
    const { accessKeyId, secretAccessKey, sessionToken, token } = await access.issueStepCredentials({
      tenant: 'default',
      actor: 'pipeline:p1',
      roles: ['admin'],
      definer: `user:${definer.userId}`,
      correlation: 'c1',
      cause: 'e1',
      lifetimeSeconds: 60,
    });
    const step = clientOf({ accessKeyId, secretAccessKey, sessionToken });
    await eventually(() => step.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'from the step' })));
    expect(reached).toEqual(['from the step']);
    const lakefs = await fetch(`${test.url}/api/v1/repositories`, { headers: { authorization: `Bearer ${token}` } });
    expect(lakefs.status).toBe(404);
    expect(await lakefs.json()).toEqual({ message: 'repository not found' });
    const stolen = clientOf({ accessKeyId: key.keyId, secretAccessKey, sessionToken });
    await expect(stolen.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: 'AccessDenied' });
    const operating = `${test.url}/api/mledger/v1/services/versioning/verify`;
    expect((await fetch(operating, { headers: { authorization: `Bearer ${token}` } })).status).toBe(403);
  });

  it('refuses more than one kind of credential, and an unsigned way in', async () => {
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'b', Key: 'k' }), { expiresIn: 60 });
    const both = await fetch(url, { headers: { authorization: key.authorization } });
    expect([both.status, await both.text()]).toEqual([400, expect.stringContaining('<Code>InvalidArgument</Code>')]);
    const unsigned = await fetch(`${test.url}/.s3/b/k`, { headers: { authorization: key.authorization } });
    expect([unsigned.status, await unsigned.text()]).toEqual([
      403,
      expect.stringContaining('<Code>AccessDenied</Code>'),
    ]);
  });

  it('drops a body that ends before its length, and stores nothing of it', async () => {
    const signed = await getSignedUrl(client, new PutObjectCommand({ Bucket: 'b', Key: 'k' }), { expiresIn: 60 });
    const { pathname, search, port, host } = new URL(signed);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100\r\n\r\nhalf`);
    socket.end();
    await text(socket);
    expect(reached).toEqual([]);
  });

  it('refuses a revoked key within the next look at the directory', async () => {
    await test.access!.revokeKey(key);
    await eventually(() =>
      expect(client.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: 'InvalidAccessKeyId' }),
    );
  });
});
