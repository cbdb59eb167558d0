const { startPostgres, startTestPostgres, createDatabase } = require('./src/postgres.cjs');
const { waitFor, freePort } = require('./src/wait.cjs');
const { FolderHeldError } = require('./src/folder-claim.cjs');

module.exports = { startPostgres, startTestPostgres, createDatabase, waitFor, freePort, FolderHeldError };
