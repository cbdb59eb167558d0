import { access } from '@mledger/access';
import { experiments } from '@mledger/experiments';
import { ledger } from '@mledger/ledger';
import { monitoring } from '@mledger/monitoring';
import { pipelines } from '@mledger/pipelines';
import { registry } from '@mledger/registry';
import type { ServiceDefinition } from '@mledger/service-kit';
import { serving } from '@mledger/serving';
import { versioning } from '@mledger/versioning';

/** Every service, access first: the others learn from it whom to let in. */
export const SERVICES: readonly ServiceDefinition[] = [
  access,
  versioning,
  experiments,
  registry,
  serving,
  monitoring,
  pipelines,
  ledger,
];
