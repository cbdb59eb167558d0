export * from './event';
export * from './decider';
