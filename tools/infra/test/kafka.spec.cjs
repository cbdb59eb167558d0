const fs = require('node:fs');
const path = require('node:path');
const { Kafka, logLevel, Partitioners } = require('kafkajs');
const { startKafka, waitFor, FolderHeldError } = require('../index.cjs');
const { describeWith } = require('../jest.cjs');
const { newFolder, holdInProcess, isRunning, killGuardOf, untilGone } = require('./processes.cjs');

const EVENT_BYTES_MAX = 5 * 1024 * 1024;

async function makeTopic(broker, topic) {
  const admin = client(broker).admin();
  await admin.connect();
  const configEntries = [{ name: 'max.message.bytes', value: String(EVENT_BYTES_MAX) }];
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] });
  await admin.disconnect();
}

async function produce(broker, topic, values) {
  const producer = client(broker).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ key: 'stream', value })) });
  await producer.disconnect();
}

/** The values of a topic from its beginning, as soon as there are `count`. */
async function consume(broker, topic, count) {
  const consumer = client(broker).consumer({ groupId: `reader-of-${count}`, maxWaitTimeInMs: 100 });
  const values = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void values.push(message.value.toString()) });
  await waitFor(() => values.length >= count, { what: `${count} messages`, timeoutMs: 30_000 });
  await consumer.disconnect();
  return values;
}

function client(broker) {
  return new Kafka({ clientId: 'infra-test', brokers: broker.brokers, logLevel: logLevel.NOTHING });
}

describeWith(['kafka'], 'Kafka', () => {
  const folder = newFolder();
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('takes topics at once, carries 5 MiB, and keeps its data and port through kill, restart and a new start', async () => {
    const dataFolder = path.join(folder, 'kept');
    const broker = await startKafka({ dataFolder });
    const [address] = broker.brokers;
    await makeTopic(broker, 'events');
    const large = 'x'.repeat(EVENT_BYTES_MAX - 1024);
    await produce(broker, 'events', ['one', large]);
    expect(await consume(broker, 'events', 2)).toEqual(['one', large]);

    const { pid, exited } = broker;
    await broker.kill();
    expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(isRunning(pid)).toBe(false);
    await broker.restart();
    expect(broker.brokers).toEqual([address]);
    expect(broker.pid).not.toBe(pid);
    await produce(broker, 'events', ['three']);
    await broker.restart();
    expect(await consume(broker, 'events', 3)).toEqual(['one', large, 'three']);
    await broker.stop();
    await broker.stop();

    const later = await startKafka({ dataFolder });
    await produce(later, 'events', ['four']);
    expect(await consume(later, 'events', 4)).toEqual(['one', large, 'three', 'four']);
    await later.stop();
  });

  it('makes no topic by itself', async () => {
    const broker = await startKafka({ dataFolder: path.join(folder, 'no-topics') });
    await expect(produce(broker, 'nowhere', ['one'])).rejects.toThrow('does not host this topic-partition');
    await broker.stop();
  });

  it('stops when the process that started it is killed; an orphan is stopped by the next start', async () => {
    const dataFolder = path.join(folder, 'Größe mit Leerzeichen');
    const first = holdInProcess('kafka', dataFolder);
    const { pid } = await first.started();
    await expect(startKafka({ dataFolder })).rejects.toBeInstanceOf(FolderHeldError);
    await first.die();
    await untilGone(pid);

    const second = holdInProcess('kafka', dataFolder);
    const { pid: orphan } = await second.started();
    killGuardOf(orphan);
    await second.die();
    expect(isRunning(orphan)).toBe(true);
    const broker = await startKafka({ dataFolder });
    expect(isRunning(orphan)).toBe(false);
    await broker.stop();
  });
});
