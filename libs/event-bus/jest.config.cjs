module.exports = {
  ...require('../../tools/testing/jest.preset.cjs'),
  rootDir: __dirname,
  displayName: 'event-bus',
  // Its long specs mostly wait for brokers that come back and groups that rebalance, so two go together on any machine.
  maxWorkers: 2,
};
