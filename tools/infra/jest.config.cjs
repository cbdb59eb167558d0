const fs = require('node:fs');
const path = require('node:path');
const preset = require('../testing/jest.preset.cjs');

// Jest writes its report there and does not make the folder.
fs.mkdirSync(path.join(__dirname, 'test-results'), { recursive: true });

/** These tests start their own servers, so they do without the Postgres that the other projects' runs share. */
module.exports = {
  ...preset,
  rootDir: __dirname,
  testMatch: ['<rootDir>/test/**/*.spec.cjs'],
  // Each test boots a server several times, also on a machine with a lot of other work.
  testTimeout: 300_000,
  globalSetup: undefined,
  globalTeardown: undefined,
};
