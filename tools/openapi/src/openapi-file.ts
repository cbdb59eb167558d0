import { join } from 'node:path';

/** Where the document is stored, for the service that serves it. */
export const OPENAPI_FILE = join(__dirname, '../../../apps/access/src/openapi/openapi.json');
