import { runServiceProcess } from '@mledger/service-kit';
import { registryService } from './registry.definition';

runServiceProcess(registryService);
