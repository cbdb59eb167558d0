import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get, Header } from '@nestjs/common';

/** Made by `npm run contracts`. */
const DOCUMENT = readFileSync(join(__dirname, 'openapi.json'), 'utf8');

/** What our own API is, all services' of it, for those who have yet to learn it. */
@Controller('api/mledger/v1/openapi.json')
export class OpenApiController {
  @Get()
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('cache-control', 'public, max-age=300')
  document(): string {
    return DOCUMENT;
  }
}
