import { CommandRefused, type RefusalKind } from '@mledger/event-log';

/** A refusal outside a decider: what was asked for does not fit what is stored. Texts that lakeFS clients match are its own. */
export function refused(
  kind: RefusalKind,
  code: string,
  message: string,
  details?: Record<string, unknown>,
): CommandRefused {
  return new CommandRefused({ kind, code, message, ...(details && { details }) });
}

export const repositoryNotFound = () => refused('not-found', 'REPOSITORY_NOT_FOUND', 'repository not found');
export const branchNotFound = () => refused('not-found', 'BRANCH_NOT_FOUND', 'branch not found');
export const tagNotFound = () => refused('not-found', 'TAG_NOT_FOUND', 'tag not found');
export const refNotFound = () => refused('not-found', 'REF_NOT_FOUND', 'not found');
export const pathNotFound = () => refused('not-found', 'PATH_NOT_FOUND', 'path not found');
export const pathExists = () => refused('precondition', 'PATH_EXISTS', 'path already exists');
export const notUnique = (what: string) => refused('exists', 'NOT_UNIQUE', `${what}: not unique`);
export const noChanges = (what: string) => refused('invalid', 'NO_CHANGES', `${what}: no changes`);
export const dirtyBranch = () => refused('invalid', 'DIRTY_BRANCH', 'uncommitted changes (dirty branch)');
export const readOnlyRepository = () => refused('forbidden', 'READ_ONLY_REPOSITORY', 'read-only repository');
export const objectGone = () => refused('not-found', 'OBJECT_GONE', 'the data of this object is missing');
