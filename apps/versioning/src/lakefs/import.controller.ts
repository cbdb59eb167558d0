import { Controller, Delete, Get, Post } from '@nestjs/common';
import { ApiError } from '@mledger/service-kit';
import { refused } from '../repository/refusals';

/** Imports reach for bytes outside the repository, which nothing here is allowed to; the storage config says so too. */
@Controller('api/v1/repositories/:repository/branches/:branch/import')
export class ImportController {
  @Post()
  start(): never {
    throw ApiError.forbidden('import is not supported');
  }

  @Get()
  status(): never {
    throw refused('not-found', 'IMPORT_NOT_FOUND', 'import not found');
  }

  @Delete()
  cancel(): never {
    throw refused('not-found', 'IMPORT_NOT_FOUND', 'import not found');
  }
}
