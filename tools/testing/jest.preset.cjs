const path = require('node:path');

const ESM_ONLY = ['@seriousme/openapi-schema-validator', 'content-disposition', 'cookie', 'fast-check', 'pure-rand'];

/** What every project's jest.config.cjs spreads: swc, source conditions, one Postgres a run. */
module.exports = {
  testMatch: ['<rootDir>/{src,test}/**/*.spec.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  transform: { '^.+\\.(t|j)s$': [require.resolve('@swc/jest'), require('./swc-jest.cjs')] },
  transformIgnorePatterns: [`/node_modules/(?!(${ESM_ONLY.join('|')})/)`],
  testEnvironment: path.join(__dirname, 'environment.cjs'),
  testEnvironmentOptions: { customExportConditions: ['@mledger/source', 'node', 'node-addons'] },
  globalSetup: path.join(__dirname, 'global-setup.mjs'),
  globalTeardown: path.join(__dirname, 'global-teardown.mjs'),
  testTimeout: 60_000,
};
