import { runServiceProcess } from '@mledger/service-kit';
import { servingService } from './serving.definition';

runServiceProcess(servingService);
