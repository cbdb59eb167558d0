export { TestAccessLog, type TestKey } from './access-log';
export type { AnyJson } from './any-json';
export { eventually } from './eventually';
export { serveAlone, SERVING_URL } from './serve-alone';
export { startTestService, startTestServices, type TestService, type TestServiceOptions } from './start-test-service';
export { createTestDatabase, type TestDatabase } from './test-database';
export { TestProcess, type Ended } from './test-process';
