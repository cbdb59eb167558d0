import type { ApiWords } from '@mledger/contracts';
import {
  id,
  keysQuery,
  newKeyBody,
  newTenantBody,
  newUserBody,
  pageQuery,
  reasonQuery,
  rolesBody,
} from './access.schemas';

const params = { id };

export const accessApi: ApiWords = {
  'GET /openapi.json': {
    summary: 'This document',
    contentType: 'application/json',
  },
  'GET /caller': {
    summary: 'Say who the caller is',
    description:
      'The tenant, the actor that events will name, and the roles. `userId`, `name` and `keyId` are absent for one who came without a key.',
    answerExample: {
      tenant: 'system',
      actor: 'user:01a21f3f-1dc5-70a7-8f88-10b1b27bc88b',
      roles: ['admin'],
      userId: '01a21f3f-1dc5-70a7-8f88-10b1b27bc88b',
      name: 'admin',
      keyId: 'AKIAJ0123456789ABCDQ',
    },
  },
  'GET /roles': {
    summary: 'List the roles and what each includes',
    answerExample: {
      roles: [
        { role: 'reader', includes: [] },
        { role: 'contributor', includes: ['reader'] },
        { role: 'approver', includes: ['reader'] },
        { role: 'deployer', includes: ['reader'] },
        { role: 'admin', includes: ['reader', 'contributor', 'approver', 'deployer'] },
      ],
    },
  },
  'GET /users': {
    summary: 'List the users of the tenant',
    description: 'By name; `next`, where there may be more, is the `after` of the next page.',
    query: pageQuery,
    answerExample: {
      users: [
        {
          userId: '01a21f3f-5579-715c-bd7e-fcb7ae7b45c6',
          name: 'ada',
          roles: ['approver', 'deployer'],
          createdAt: '2026-11-27T23:02:54.084Z',
        },
        {
          userId: '01a21f3f-1de4-72da-8787-cca33362afd6',
          name: 'admin',
          roles: ['admin'],
          createdAt: '2026-11-27T23:02:39.845Z',
        },
      ],
    },
  },
  'POST /users': {
    summary: 'Create a user',
    description: 'A person or a machine. They can do nothing before they have a key.',
    body: newUserBody,
    bodyExample: { name: 'ada', roles: ['approver', 'deployer'] },
    status: 201,
    answerExample: { userId: '01a21f3f-5579-715c-bd7e-fcb7ae7b45c6', name: 'ada', roles: ['approver', 'deployer'] },
  },
  'GET /users/{id}': {
    summary: 'Get a user',
    params,
    answerExample: {
      userId: '01a21f3f-5579-715c-bd7e-fcb7ae7b45c6',
      name: 'ada',
      roles: ['approver', 'deployer'],
      createdAt: '2026-11-27T23:02:54.084Z',
    },
  },
  'DELETE /users/{id}': {
    summary: 'Remove a user',
    description:
      'Their keys stop working and their name is forgotten; events go on naming their id. 409 where no admin with a key would be left.',
    params,
    query: reasonQuery,
    status: 204,
  },
  'PUT /users/{id}/roles': {
    summary: 'Set the roles of a user',
    description:
      'These and no others: a role that is not named is taken away. 409 where no admin with a key would be left.',
    params,
    body: rolesBody,
    bodyExample: { roles: ['approver'] },
    answerExample: { userId: '01a21f3f-5579-715c-bd7e-fcb7ae7b45c6', roles: ['approver'] },
  },
  'GET /keys': {
    summary: 'List valid keys, without their secrets',
    description:
      'Everybody’s, or of one user, for an admin; else one’s own. `next`, where there may be more, is the `after` of the next page.',
    query: keysQuery,
    answerExample: {
      keys: [
        {
          keyId: 'AKIAJ0123456789ABCDQ',
          userId: '01a21f3f-5579-715c-bd7e-fcb7ae7b45c6',
          createdAt: '2026-11-27T23:02:54.460Z',
        },
      ],
    },
  },
  'POST /keys': {
    summary: 'Issue a key',
    description: 'For oneself, or as an admin for any user. This answer is the only one that ever shows the secret.',
    body: newKeyBody,
    bodyExample: { userId: '01a21f3f-5579-715c-bd7e-fcb7ae7b45c6' },
    status: 201,
    answerExample: {
      keyId: 'AKIAJ0123456789ABCDQ',
      secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      userId: '01a21f3f-5579-715c-bd7e-fcb7ae7b45c6',
    },
  },
  'DELETE /keys/{id}': {
    summary: 'Revoke a key',
    description: 'One’s own, or as an admin anybody’s. 409 where no admin with a key would be left.',
    params,
    query: reasonQuery,
    status: 204,
  },
  'GET /tenants': {
    summary: 'List tenants',
    description: 'For the admins of tenant `system`. `next`, where there may be more, is the `after` of the next page.',
    query: pageQuery,
    answerExample: {
      tenants: [
        { tenantId: 'acme', open: true, setUp: false, createdAt: '2026-11-27T23:02:54.003Z' },
        { tenantId: 'default', open: true, setUp: false, createdAt: '2026-11-27T23:02:39.845Z' },
      ],
    },
  },
  'POST /tenants': {
    summary: 'Create a tenant with its first admin',
    description:
      'For the admins of tenant `system`. This answer is the only one that ever shows the secret of the admin’s key.',
    body: newTenantBody,
    bodyExample: { tenantId: 'acme', adminName: 'grace' },
    status: 201,
    answerExample: {
      tenantId: 'acme',
      userId: '01a21f3f-5527-7721-a352-d75fcddf7673',
      keyId: 'AKIAJ0123456789ABCDQ',
      secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    },
  },
  'GET /tenants/{id}': {
    summary: 'Get a tenant',
    description: 'For the admins of tenant `system`.',
    params,
    answerExample: { tenantId: 'acme', open: true, setUp: false, createdAt: '2026-11-27T23:02:54.003Z' },
  },
  'DELETE /tenants/{id}': {
    summary: 'Close a tenant',
    description:
      'For the admins of tenant `system`. Nobody can enter it any more, its history stays, and its id is never used again.',
    params,
    query: reasonQuery,
    status: 204,
  },
};
