module.exports = {
  ...require('../../tools/testing/jest.preset.cjs'),
  rootDir: __dirname,
  displayName: 'object-store',
  // This library needs an S3 server and no Postgres.
  globalSetup: '<rootDir>/test/start-s3.mjs',
  globalTeardown: '<rootDir>/test/stop-s3.mjs',
};
