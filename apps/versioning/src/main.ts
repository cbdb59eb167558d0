import { runServiceProcess } from '@mledger/service-kit';
import { versioningService } from './versioning.definition';

void runServiceProcess(versioningService);
