import type { CommandRefused } from '@mledger/event-log';
import { safePath } from '../artifact/artifact-path';
import { refused } from '../refused';

export const ARTIFACT_LOCATION_CHARACTERS_MAX = 2048;

/** Stores that clients write to by themselves, with their own credentials. This server never follows such a URI. */
const CLIENT_SIDE_SCHEMES = ['s3', 'gs', 'wasb', 'wasbs', 'abfs', 'abfss', 'hdfs', 'viewfs', 'dbfs', 'r2'];

/** Where artifacts lie unless the client says otherwise: here, behind the artifact proxy. */
export function ownArtifactLocation(experimentId: string): string {
  return `mlflow-artifacts:/${experimentId}`;
}

/**
 * Holds a client's own artifact location to the URI of an object store. A local path or an http address would make a
 * client read or call whatever the location says, so these are refused, and so is anything that hides where it leads.
 *
 * @throws CommandRefused
 */
export function checkedArtifactLocation(location: string): string {
  const match = /^([a-z][a-z0-9]*):\/\/([A-Za-z0-9][A-Za-z0-9.@_-]*)(\/.*)?$/.exec(location);
  const [, scheme = '', , path = '/'] = match ?? [];
  if (!CLIENT_SIDE_SCHEMES.includes(scheme) || location.length > ARTIFACT_LOCATION_CHARACTERS_MAX) {
    throw unusable(`'${location.slice(0, 200)}' is not an artifact location that may be used`);
  }
  const relative = path.replace(/^\//, '').replace(/\/$/, '');
  if (relative !== '') safePath(relative);
  return location.replace(/\/$/, '');
}

function unusable(fault: string): CommandRefused {
  const advice =
    'leave artifact_location out to keep artifacts here, or name a place in an object store, as in s3://bucket/path';
  return refused('invalid', 'ARTIFACT_LOCATION_INVALID', `${fault}: ${advice}.`);
}
