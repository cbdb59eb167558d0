import { accessService } from '@mledger/access';
import { experimentsService } from '@mledger/experiments';
import { ledgerService } from '@mledger/ledger';
import { monitoringService } from '@mledger/monitoring';
import { pipelinesService } from '@mledger/pipelines';
import { registryService } from '@mledger/registry';
import type { ServiceDefinition } from '@mledger/service-kit';
import { servingService } from '@mledger/serving';
import { versioningService } from '@mledger/versioning';

/** Every service, access first: the others learn from it whom to let in. */
export const SERVICES: readonly ServiceDefinition[] = [
  accessService,
  versioningService,
  experimentsService,
  registryService,
  servingService,
  monitoringService,
  pipelinesService,
  ledgerService,
];
