import { unescape } from 'node:querystring';
import type { CommandRefused } from '@mledger/event-log';
import { isLoggedModelId, isRunId } from '../names';
import { refused } from '../refused';

/** Bounds an index row; no file system takes longer paths either. */
export const ARTIFACT_PATH_BYTES_MAX = 1024;
/** Nobody escapes a path more often than this but to hide something. */
const ESCAPE_DEPTH_MAX = 3;

const NEVER_IN_PATHS = /[\u0000-\u001f\u007f\\#?]|\p{Surrogate}/u;
const DRIVE_LETTER = /^[A-Za-z]:/;

/**
 * Holds a path to what means one place below its root, on any system: it is relative, and neither it nor what it becomes
 * when it is unescaped again goes up, is absolute, or carries a separator or mark of another syntax. Paths never become
 * object keys, so this protects the clients that will write files by these names.
 *
 * @throws CommandRefused invalid, in the words of MLflow's own server
 */
export function safePath(path: string): string {
  if (Buffer.byteLength(path) > ARTIFACT_PATH_BYTES_MAX)
    throw invalidPath(`it has more than ${ARTIFACT_PATH_BYTES_MAX} bytes`);
  let level = path;
  for (let depth = 0; depth <= ESCAPE_DEPTH_MAX; depth++) {
    const fault = pathFault(level);
    if (fault) throw invalidPath(fault);
    // As the most lenient reader would: a percent sign that escapes nothing does not keep it from the others.
    const next = unescape(level);
    if (next === level) return path;
    level = next;
  }
  throw invalidPath('it is escaped again and again');
}

/** The same for a path as it stands in a request's target, still percent-encoded. */
export function safeTargetPath(encoded: string): string {
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    throw invalidPath('it is not percent-encoded UTF-8');
  }
  return safePath(path);
}

function pathFault(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (NEVER_IN_PATHS.test(path)) return 'it has a character that no path may have';
  if (path.startsWith('/') || DRIVE_LETTER.test(path)) return 'it is absolute';
  if (path.split('/').some((segment) => segment === '' || segment === '.')) return 'it has an empty segment';
  // A semicolon begins a URI's parameters, and some servers cut them off before they resolve dots.
  if (path.split(/[/;]/).includes('..')) return 'it goes up';
  return undefined;
}

function invalidPath(fault: string): CommandRefused {
  return refused('invalid', 'PATH_INVALID', `Invalid path: ${fault}`);
}

/** Where a proxied path leads: into the artifacts of a run or of a logged model. */
export interface ArtifactAddress {
  readonly experimentId: string;
  readonly ownerKind: 'run' | 'logged-model';
  readonly ownerId: string;
  /** Below the owner's artifact root; empty for the root itself. */
  readonly path: string;
}

/**
 * Reads `<experiment>/<run>/artifacts/…` and `<experiment>/models/<model>/artifacts/…`; undefined for anything else.
 *
 * @throws CommandRefused when the part below the root is no safe path by itself: it may begin with a drive
 */
export function addressOf(path: string): ArtifactAddress | undefined {
  const [experimentId = '', second = '', third = '', ...rest] = path.split('/');
  if (second === 'models' && isLoggedModelId(third) && rest[0] === 'artifacts') {
    return { experimentId, ownerKind: 'logged-model', ownerId: third, path: belowRoot(rest.slice(1)) };
  }
  if (second !== 'models' && isRunId(second) && third === 'artifacts') {
    return { experimentId, ownerKind: 'run', ownerId: second, path: belowRoot(rest) };
  }
  return undefined;
}

function belowRoot(segments: readonly string[]): string {
  return segments.length === 0 ? '' : safePath(segments.join('/'));
}
