import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@mledger/service-kit';
import { BranchAdvance } from './branch/branch-advance';
import { CommitHandler } from './commit/commit.handler';
import { CommitLog } from './commit/commit-log';
import { Commits } from './commit/commits';
import { Diffs } from './diff/diffs';
import { BranchesController } from './lakefs/branches.controller';
import { CommitsController, MergesController } from './lakefs/commits.controller';
import { ConfigController } from './lakefs/config.controller';
import { Located } from './lakefs/context';
import { ImportController } from './lakefs/import.controller';
import { NotImplementedController } from './lakefs/not-implemented.controller';
import { ObjectWritesController } from './lakefs/object-writes.controller';
import { ObjectsController } from './lakefs/objects.controller';
import { RepositoriesController } from './lakefs/repositories.controller';
import { StagingController } from './lakefs/staging.controller';
import { MergeHandler } from './merge/merge.handler';
import { VersioningWorkingState1764000000000 } from './migrations/working-state.migration';
import { StoredNodes } from './object-tree/stored-nodes';
import { ObjectHandler } from './objects/object.handler';
import { Objects } from './objects/objects';
import { PresignedController } from './presigned/presigned.controller';
import { branchesProjection } from './projections/branches.projection';
import { commitsProjection } from './projections/commits.projection';
import { repositoriesProjection } from './projections/repositories.projection';
import { tagsProjection } from './projections/tags.projection';
import { RefHandler } from './refs/ref.handler';
import { Refs } from './refs/refs';
import { Repositories } from './repository/repositories';
import { RepositoryHandler } from './repository/repository.handler';
import { S3Controller } from './s3/s3.controller';
import { S3Listing } from './s3/s3-listing';
import { S3Multipart } from './s3/s3-multipart';
import { S3Objects } from './s3/s3-objects';
import { Staging } from './staging/staging';
import { versioningProblems } from './versioning.problems';

@Module({
  controllers: [
    ConfigController,
    RepositoriesController,
    BranchesController,
    CommitsController,
    MergesController,
    ObjectsController,
    ObjectWritesController,
    StagingController,
    ImportController,
    NotImplementedController,
    PresignedController,
    S3Controller,
  ],
  providers: [
    Located,
    Repositories,
    RepositoryHandler,
    Refs,
    RefHandler,
    BranchAdvance,
    Commits,
    CommitHandler,
    CommitLog,
    MergeHandler,
    Diffs,
    Staging,
    StoredNodes,
    Objects,
    ObjectHandler,
    S3Listing,
    S3Objects,
    S3Multipart,
  ],
})
export class VersioningModule {}

/** Repositories, branches, commits, merges, tags, objects: the lakeFS API and an S3 gateway. */
export const versioningService: ServiceDefinition = {
  name: 'versioning',
  module: VersioningModule,
  projections: [repositoriesProjection, branchesProjection, tagsProjection, commitsProjection],
  migrations: [VersioningWorkingState1764000000000],
  problems: versioningProblems,
};
