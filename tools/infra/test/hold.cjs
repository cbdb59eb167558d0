// Starts one server, prints what leads to it as a line of JSON, and holds it until this process is killed.
const infra = require('../index.cjs');

const [kind, dataFolder] = process.argv.slice(2);
const starts = {
  postgres: infra.startPostgres,
  kafka: infra.startKafka,
  s3: infra.startS3,
  test: infra.startTestPostgres,
};

starts[kind]({ dataFolder }).then((server) => {
  process.stdout.write(`${JSON.stringify({ ...server, pid: server.pid })}\n`);
  setInterval(() => undefined, 60_000);
});
