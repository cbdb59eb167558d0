import type { VerifyReport } from '@mledger/event-log';
import { isOperator, type Caller } from './edge/caller';

/** What a report tells its caller: to an admin of one tenant no count over all of them, and of a fault of somebody else only its kind. */
export function verifyReportFor(caller: Caller, report: VerifyReport): object {
  if (isOperator(caller)) return report;
  const { events: _events, fault, ...rest } = report;
  if (!fault) return rest;
  const isKnown = fault.stream === undefined || fault.stream.startsWith(`${caller.tenant}/`);
  const message = 'in a stream of another tenant: the admins of tenant system can see where';
  return { ...rest, fault: isKnown ? fault : { kind: fault.kind, message } };
}
