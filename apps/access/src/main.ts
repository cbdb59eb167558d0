import { runServiceProcess } from '@mledger/service-kit';
import { accessService } from './access.definition';

runServiceProcess(accessService);
