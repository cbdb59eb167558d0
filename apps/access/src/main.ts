import { runServiceProcess } from '@mledger/service-kit';
import { accessDefinition } from './access.definition';

runServiceProcess(accessDefinition);
