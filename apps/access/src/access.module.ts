import { Module } from '@nestjs/common';
import { KeysController } from './api/keys.controller';
import { TenantsController } from './api/tenants.controller';
import { UsersController } from './api/users.controller';
import { EnvironmentKeys } from './first-keys/environment-keys';
import { FirstKeyFile } from './first-keys/first-key-file';
import { FirstKeys } from './first-keys/first-keys';
import { KeyRights } from './key/key-rights';
import { Keys } from './key/keys';
import { AuthController } from './lakefs/auth.controller';
import { SetupController } from './lakefs/setup.controller';
import { LakefsUsersController } from './lakefs/users.controller';
import { OpenApiController } from './openapi/openapi.controller';
import { Tenants } from './tenant/tenants';
import { Users } from './user/users';

@Module({
  controllers: [
    TenantsController,
    UsersController,
    KeysController,
    SetupController,
    AuthController,
    LakefsUsersController,
    OpenApiController,
  ],
  providers: [Tenants, Users, Keys, KeyRights, EnvironmentKeys, FirstKeyFile, FirstKeys],
})
export class AccessModule {}
