const { pipelinesService } = require('@mledger/pipelines');
const { serveAlone } = require('@mledger/service-kit/testing');

void serveAlone(pipelinesService);
