import { runServiceProcess } from '@mledger/service-kit';
import { experimentsService } from './experiments.definition';

runServiceProcess(experimentsService);
