const { servingService } = require('@mledger/serving');
const { serveAlone } = require('@mledger/service-kit/testing');

void serveAlone(servingService);
