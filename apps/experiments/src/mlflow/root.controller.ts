import { Controller, Get, Header } from '@nestjs/common';

/**
 * The generation of MLflow's API that is spoken here. Clients ask for it only to decide whether to send traces by OTLP, which
 * begins with 3.4.
 */
const MLFLOW_API_VERSION = '3.0.0';

/** What MLflow's server answers at its root, to anybody. */
@Controller()
export class RootController {
  @Get('health')
  @Header('content-type', 'text/plain; charset=utf-8')
  health(): string {
    return 'OK';
  }

  @Get('version')
  @Header('content-type', 'text/plain; charset=utf-8')
  version(): string {
    return MLFLOW_API_VERSION;
  }
}
