module.exports = { ...require('../../tools/testing/jest.preset.cjs'), rootDir: __dirname, displayName: 'openapi' };
