import { eventsOf, type ServiceName } from '@mledger/contracts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asyncApiYaml } from './asyncapi';
import { eventsWithoutGolden, goldenEvents } from './golden-events';

describe('the contracts, as they are published', () => {
  it('docs/asyncapi.yaml is what the contracts say; else run `npm run contracts`', () => {
    expect(readFileSync(join(__dirname, '../../../docs/asyncapi.yaml'), 'utf8')).toBe(asyncApiYaml());
  });

  it('stores an example of every event; else run `npm run contracts`', () => {
    expect(eventsWithoutGolden().map(({ service, type, schema }) => `${service} ${type} ${schema}`)).toEqual([]);
  });

  it.each(goldenEvents().map((golden) => [`${golden.service} ${golden.type} ${golden.schema}`, golden] as const))(
    'still reads %s',
    (_name, golden) => {
      const definition = eventsOf(golden.service as ServiceName).find(({ type }) => type === golden.type);
      expect(definition).toBeDefined();
      let data: object = golden.data;
      for (let schema = golden.schema; schema < definition!.schema; schema += 1) {
        data = definition!.upcasters![schema]!(data as never);
      }
      expect(definition!.data.safeParse(data).error).toBeUndefined();
    },
  );
});
