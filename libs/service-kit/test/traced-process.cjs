/** A built service that answers one request and stops: what it sends to a collector is looked at by the test. */
const { Module } = require('@nestjs/common');
const { startTestService } = require('@mledger/service-kit/testing');

class EmptyModule {}
Module({})(EmptyModule);

async function main() {
  const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const definition = { name: 'pipelines', module: EmptyModule, projections: [] };
  const test = await startTestService(definition, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
  await test.inject({ url: '/health/live' });
  await test.stop();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
