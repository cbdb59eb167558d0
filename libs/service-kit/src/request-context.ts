import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of a request or a reaction carries. */
export interface LogContext {
  requestId?: string;
  tenant?: string;
  actor?: string;
  correlation?: string;
  /** W3C trace context of the span at work, or as it came in. */
  traceparent?: string;
}

/** What is being worked on here, across awaits. */
export const logContext = new AsyncLocalStorage<LogContext>();
