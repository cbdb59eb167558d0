import { writeFileSync } from 'node:fs';
import { openApiJson } from './openapi';
import { OPENAPI_FILE } from './openapi-file';

writeFileSync(OPENAPI_FILE, openApiJson());
