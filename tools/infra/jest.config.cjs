const preset = require('../testing/jest.preset.cjs');

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
