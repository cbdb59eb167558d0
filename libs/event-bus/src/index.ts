export * from './event-bus';
export * from './cloud-event';
export * from './failure';
export * from './in-process/in-process-bus';
export * from './kafka/kafka-bus';
