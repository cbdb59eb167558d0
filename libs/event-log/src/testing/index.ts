export * from './open-test-database';
export * from './eventually';
