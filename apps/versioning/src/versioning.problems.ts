import type { ProblemMapper } from '@mledger/service-kit';

interface S3Words {
  readonly s3Code: string;
  readonly message?: string;
  readonly status?: number;
  readonly s3Fields?: Readonly<Record<string, string>>;
}

/** By the code of a refusal: what S3's clients know it by. */
const S3: Readonly<Record<string, S3Words>> = {
  REPOSITORY_NOT_FOUND: { s3Code: 'NoSuchBucket', message: 'The specified bucket does not exist' },
  BRANCH_NOT_FOUND: { s3Code: 'NoSuchBucket', message: 'The specified bucket does not exist' },
  REF_NOT_FOUND: { s3Code: 'NoSuchKey', message: 'The specified key does not exist.' },
  PATH_NOT_FOUND: { s3Code: 'NoSuchKey', message: 'The specified key does not exist.' },
  // By its condition s3fs knows that the file exists.
  PATH_EXISTS: { s3Code: 'PreconditionFailed', s3Fields: { Condition: 'If-None-Match' } },
  PROTECTED_BRANCH: { s3Code: 'ErrWriteToProtectedBranch' },
  READ_ONLY_REPOSITORY: { s3Code: 'ErrReadOnlyRepository' },
  INVALID_NAME: { s3Code: 'InvalidArgument' },
  INVALID_REF: { s3Code: 'InvalidArgument' },
};

/** lakeFS has one status of its own: the entry is there, its bytes are not. */
const GONE = 410;

export const versioningProblems: ProblemMapper = (problem, api) => {
  if (api === 'lakefs' && problem.code === 'OBJECT_GONE') return { ...problem, status: GONE };
  const words = api === 's3' ? S3[problem.code] : undefined;
  return words ? { ...problem, ...words } : problem;
};
