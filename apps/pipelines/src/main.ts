import { runServiceProcess } from '@mledger/service-kit';
import { pipelinesService } from './pipelines.definition';

runServiceProcess(pipelinesService);
