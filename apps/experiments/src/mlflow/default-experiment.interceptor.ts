import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { callerOf, commandContext, type FastifyRequest } from '@mledger/service-kit';
import { ExperimentHandler } from '../experiment/experiment.handler';

/** Lets no request of a tenant be answered before its default experiment is there. */
@Injectable()
export class DefaultExperiment implements NestInterceptor {
  constructor(private readonly experiments: ExperimentHandler) {}

  async intercept(context: ExecutionContext, next: CallHandler) {
    await this.experiments.ensureDefault(commandContext(callerOf(context.switchToHttp().getRequest<FastifyRequest>())));
    return next.handle();
  }
}
