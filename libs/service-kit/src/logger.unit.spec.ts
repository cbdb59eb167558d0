import { Logger } from './logger';
import { logContext } from './request-context';

function linesOf(work: (logger: Logger) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  work(Logger.create({ service: 'registry', level: 'info' }, { write: (line) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the logger', () => {
  it('writes lines with service, level, time, and what is being worked on', () => {
    const context = { requestId: 'r1', tenant: 'acme', correlation: 'c1' };
    const [line] = linesOf((logger) => logContext.run(context, () => logger.info({ model: 'delay' }, 'promoted')));
    expect(line).toMatchObject({ service: 'registry', level: 'info', msg: 'promoted', model: 'delay', ...context });
    expect(Date.parse(String(line!.time))).not.toBeNaN();
  });

  it('shows an error whole, and never a secret', () => {
    const [line] = linesOf((logger) =>
      logger.error({ error: new Error('boom'), authorization: 'Basic x', key: { secretAccessKey: 'y' } }, 'failed'),
    );
    expect(line).toMatchObject({
      error: { message: 'boom', stack: expect.stringContaining('logger.unit.spec') },
      authorization: '[secret]',
      key: { secretAccessKey: '[secret]' },
    });
  });

  it('leaves out what is below its level', () => {
    expect(linesOf((logger) => logger.debug({}, 'details'))).toEqual([]);
  });
});
