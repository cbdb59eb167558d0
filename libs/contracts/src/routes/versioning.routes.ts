import type { RouteRole, RouteRule } from '../route';

type Row = readonly [method: RouteRule['method'], path: string, role: RouteRole, body?: 'stream'];

const LAKEFS: readonly Row[] = [
  ['GET', 'healthcheck', 'public'],
  ['GET', 'config', 'any'],
  ['GET', 'config/version', 'any'],
  ['GET', 'config/storage', 'any'],
  ['GET', 'config/garbage-collection', 'any'],
  ['POST', 'statistics', 'any'],
  ['GET', 'usage-report/summary', 'any'],
  ['GET', 'repositories', 'reader'],
  ['POST', 'repositories', 'contributor'],
];

/** Below `/api/v1/repositories/{repository}`. */
const REPOSITORY: readonly Row[] = [
  ['GET', '', 'reader'],
  ['DELETE', '', 'admin'],
  ['GET', '/metadata', 'reader'],
  ['POST', '/metadata', 'contributor'],
  ['DELETE', '/metadata', 'contributor'],
  ['GET', '/settings/branch_protection', 'reader'],
  ['PUT', '/settings/branch_protection', 'admin'],
  ['GET', '/branches', 'reader'],
  ['POST', '/branches', 'contributor'],
  ['GET', '/branches/{branch}', 'reader'],
  ['PUT', '/branches/{branch}', 'contributor'],
  ['DELETE', '/branches/{branch}', 'contributor'],
  ['GET', '/branches/{branch}/diff', 'reader'],
  ['POST', '/branches/{branch}/commits', 'contributor'],
  ['PUT', '/branches/{branch}/hard_reset', 'contributor'],
  ['POST', '/branches/{branch}/revert', 'contributor'],
  ['POST', '/branches/{branch}/cherry-pick', 'contributor'],
  ['POST', '/branches/{branch}/objects', 'contributor', 'stream'],
  ['PUT', '/branches/{branch}/objects', 'contributor'],
  ['DELETE', '/branches/{branch}/objects', 'contributor'],
  ['POST', '/branches/{branch}/objects/delete', 'contributor'],
  ['POST', '/branches/{branch}/objects/copy', 'contributor'],
  ['GET', '/branches/{branch}/objects/stage_allowed', 'contributor'],
  ['PUT', '/branches/{branch}/objects/stat/user_metadata', 'contributor'],
  ['GET', '/branches/{branch}/staging/backing', 'contributor'],
  ['PUT', '/branches/{branch}/staging/backing', 'contributor'],
  ['GET', '/branches/{branch}/import', 'reader'],
  ['POST', '/branches/{branch}/import', 'contributor'],
  ['DELETE', '/branches/{branch}/import', 'contributor'],
  ['GET', '/tags', 'reader'],
  ['POST', '/tags', 'contributor'],
  ['GET', '/tags/{tag}', 'reader'],
  ['DELETE', '/tags/{tag}', 'contributor'],
  ['GET', '/commits/{commitId}', 'reader'],
  ['GET', '/refs/{ref}/commits', 'reader'],
  ['GET', '/refs/{ref}/merge/{destinationBranch}', 'reader'],
  ['POST', '/refs/{ref}/merge/{destinationBranch}', 'contributor'],
  ['GET', '/refs/{ref}/diff/{rightRef}', 'reader'],
  ['GET', '/refs/{ref}/objects', 'reader'],
  ['HEAD', '/refs/{ref}/objects', 'reader'],
  ['GET', '/refs/{ref}/objects/stat', 'reader'],
  ['GET', '/refs/{ref}/objects/ls', 'reader'],
  ['GET', '/refs/{ref}/objects/underlyingProperties', 'reader'],
  ['GET', '/actions/runs', 'reader'],
];

/** Operations of lakeFS that are known and answered with 501, below `/api/v1/repositories/{repository}`. */
const REPOSITORY_NOT_IMPLEMENTED: readonly Row[] = [
  ['GET', '/settings/gc_rules', 'reader'],
  ['PUT', '/settings/gc_rules', 'admin'],
  ['DELETE', '/settings/gc_rules', 'admin'],
  ['PUT', '/refs/dump', 'admin'],
  ['PUT', '/refs/restore', 'admin'],
  ['POST', '/dump', 'admin'],
  ['GET', '/dump', 'admin'],
  ['POST', '/restore', 'admin'],
  ['GET', '/restore', 'admin'],
  ['POST', '/commits', 'admin'],
  ['POST', '/branches/{branch}/staging/pmpu', 'contributor'],
  ['PUT', '/branches/{branch}/staging/pmpu/{uploadId}', 'contributor'],
  ['DELETE', '/branches/{branch}/staging/pmpu/{uploadId}', 'contributor'],
  ['PUT', '/branches/{branch}/staging/pmpu/{uploadId}/parts/{partNumber}', 'contributor'],
  ['PUT', '/branches/{branch}/staging/pmpu/{uploadId}/parts/{partNumber}/copy', 'contributor'],
  ['POST', '/refs/{ref}/symlink', 'contributor'],
  ['GET', '/actions/runs/{runId}', 'reader'],
  ['GET', '/actions/runs/{runId}/hooks', 'reader'],
  ['GET', '/actions/runs/{runId}/hooks/{hookRunId}/output', 'reader'],
  ['GET', '/metadata/object/{type}/{objectId}', 'reader'],
  ['GET', '/metadata/meta_range/{metaRange}', 'reader'],
  ['GET', '/metadata/range/{range}', 'reader'],
  ['GET', '/gc/rules/set_allowed', 'admin'],
  ['GET', '/gc/rules', 'admin'],
  ['POST', '/gc/rules', 'admin'],
  ['DELETE', '/gc/rules', 'admin'],
  ['POST', '/gc/prepare_commits', 'admin'],
  ['POST', '/gc/prepare_commits/async', 'admin'],
  ['GET', '/gc/prepare_commits/status', 'admin'],
  ['POST', '/gc/prepare_uncommited', 'admin'],
  ['GET', '/branch_protection/set_allowed', 'admin'],
  ['GET', '/branch_protection', 'admin'],
  ['POST', '/branch_protection', 'admin'],
  ['DELETE', '/branch_protection', 'admin'],
  ['GET', '/pulls', 'reader'],
  ['POST', '/pulls', 'contributor'],
  ['GET', '/pulls/{pullRequest}', 'reader'],
  ['PATCH', '/pulls/{pullRequest}', 'contributor'],
  ['PUT', '/pulls/{pullRequest}/merge', 'contributor'],
];

/** Requests with an AWS signature come in as `/.s3` and their own path, whatever that is. */
const S3: readonly Row[] = (['/.s3/', '/.s3/{path+}'] as const).flatMap((path) => [
  ['GET', path, 'reader'] as const,
  ['HEAD', path, 'reader'] as const,
  ['PUT', path, 'contributor', 'stream'] as const,
  ['POST', path, 'contributor', 'stream'] as const,
  // Without a body; but the SDK for C++ says of it that it is XML.
  ['DELETE', path, 'contributor', 'stream'] as const,
]);

/** Objects of a folder for the bearer of a signed URL: the signature is the credential, and bounds what can be done. */
const PRESIGNED: readonly Row[] = [
  ['GET', '/api/mledger/v1/presigned/{key+}', 'public'],
  ['PUT', '/api/mledger/v1/presigned/{key+}', 'public', 'stream'],
];

function rules(base: string, api: RouteRule['api'], rows: readonly Row[]): RouteRule[] {
  return rows.map(([method, path, role, body]) => ({
    service: 'versioning',
    method,
    path: `${base}${path}`,
    role,
    api,
    ...(body && { body }),
  }));
}

const REPOSITORY_BASE = '/api/v1/repositories/{repository}';

export const lakefsNotImplementedRoutes: readonly RouteRule[] = rules(
  REPOSITORY_BASE,
  'lakefs',
  REPOSITORY_NOT_IMPLEMENTED,
);

export const versioningRoutes: readonly RouteRule[] = [
  ...rules('/api/v1/', 'lakefs', LAKEFS),
  ...rules(REPOSITORY_BASE, 'lakefs', REPOSITORY),
  ...lakefsNotImplementedRoutes,
  ...rules('', 's3', S3),
  ...rules('', 'mledger', PRESIGNED),
];
