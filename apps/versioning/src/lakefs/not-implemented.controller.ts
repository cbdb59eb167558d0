import { Controller, Delete, Get, Patch, Post, Put } from '@nestjs/common';
import { lakefsNotImplementedRoutes, type RouteRule } from '@mledger/contracts';
import { ApiError } from '@mledger/service-kit';

/** Operations of lakeFS that are known and not here yet, by the table of routes: a method of a controller takes one verb. */
@Controller()
export class NotImplementedController {
  @Get(pathsOf('GET'))
  get(): never {
    throw ApiError.notImplemented();
  }

  @Post(pathsOf('POST'))
  post(): never {
    throw ApiError.notImplemented();
  }

  @Put(pathsOf('PUT'))
  put(): never {
    throw ApiError.notImplemented();
  }

  @Patch(pathsOf('PATCH'))
  patch(): never {
    throw ApiError.notImplemented();
  }

  @Delete(pathsOf('DELETE'))
  delete(): never {
    throw ApiError.notImplemented();
  }
}

function pathsOf(method: RouteRule['method']): string[] {
  const rules = lakefsNotImplementedRoutes.filter((rule) => rule.method === method);
  return rules.map(({ path }) => path.replace(/\{(\w+)\}/g, ':$1'));
}
