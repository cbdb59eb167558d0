import { runServiceProcess } from '@mledger/service-kit';
import { monitoringService } from './monitoring.definition';

runServiceProcess(monitoringService);
