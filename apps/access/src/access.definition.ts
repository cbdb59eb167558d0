import { accessDirectoryProjection } from '@mledger/access-control';
import type { ServiceDefinition } from '@mledger/service-kit';
import { AccessModule } from './access.module';
import { UserProfiles1764000100000 } from './migrations/user-profiles.migration';
import { UserProfile } from './user/user-profile';

/** Tenants, users, roles and keys: who may do what. Every other service learns it from these events. */
export const accessService: ServiceDefinition = {
  name: 'access',
  module: AccessModule,
  projections: [accessDirectoryProjection],
  migrations: [UserProfiles1764000100000],
  entities: [UserProfile],
};
