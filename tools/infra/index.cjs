const { startPostgres, startTestPostgres, createDatabase } = require('./src/postgres.cjs');
const { startKafka, kafkaAvailable } = require('./src/kafka.cjs');
const { startS3, s3Available } = require('./src/s3.cjs');
const { pythonEnvironment, pythonAvailable } = require('./src/python.cjs');
const { waitFor, freePort } = require('./src/wait.cjs');
const { claimFolder, FolderHeldError } = require('./src/folder-claim.cjs');

module.exports = {
  startPostgres,
  startTestPostgres,
  createDatabase,
  startKafka,
  kafkaAvailable,
  startS3,
  s3Available,
  pythonEnvironment,
  pythonAvailable,
  waitFor,
  freePort,
  claimFolder,
  FolderHeldError,
};
