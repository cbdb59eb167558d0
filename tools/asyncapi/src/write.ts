import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asyncApiYaml } from './asyncapi';
import { writeMissingGoldens } from './golden-events';

writeMissingGoldens();
writeFileSync(join(__dirname, '../../../docs/asyncapi.yaml'), asyncApiYaml());
