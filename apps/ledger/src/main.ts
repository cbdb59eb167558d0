import { runServiceProcess } from '@mledger/service-kit';
import { ledgerService } from './ledger.definition';

runServiceProcess(ledgerService);
