const fs = require('node:fs');
const path = require('node:path');

/** The build's own swc settings, so that tests run what ships. */
module.exports = {
  ...JSON.parse(fs.readFileSync(path.join(__dirname, '../../.swcrc'), 'utf8')),
  swcrc: false,
  sourceMaps: 'inline',
};
delete module.exports.$schema;
