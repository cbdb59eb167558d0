export { TestAccessLog, type TestKey } from './access-log';
export { eventually } from './eventually';
export { startTestService, startTestServices, type TestService, type TestServiceOptions } from './start-test-service';
export { createTestDatabase, type TestDatabase } from './test-database';
