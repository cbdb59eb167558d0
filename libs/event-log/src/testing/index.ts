export * from './account';
export * from './eventually';
export * from './open-test-database';
