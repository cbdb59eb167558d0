import type { EventCatalog } from './event';
import { UnknownSchema, upcast } from './upcast';

const catalog: EventCatalog = {
  Measured: {
    schema: 3,
    upcasters: {
      1: (data: { celsius: number }) => ({ kelvin: data.celsius + 273 }),
      2: (data: { kelvin: number }) => ({ ...data, unit: 'K' }),
    },
  },
  Lost: { schema: 2 },
};

describe('upcast', () => {
  it('brings old data to the present schema, step by step', () => {
    expect(upcast(catalog, 'Measured', 1, { celsius: 20 })).toEqual({ schema: 3, data: { kelvin: 293, unit: 'K' } });
    expect(upcast(catalog, 'Measured', 2, { kelvin: 1 })).toEqual({ schema: 3, data: { kelvin: 1, unit: 'K' } });
  });

  it('leaves present data alone', () => {
    const data = { kelvin: 1, unit: 'K' };
    expect(upcast(catalog, 'Measured', 3, data).data).toBe(data);
  });

  it.each([
    ['Measured', 4],
    ['Unheard', 1],
    ['toString', 1],
    ['Lost', 1],
  ])('does not guess at %s of schema %i', (type, schema) => {
    expect(() => upcast(catalog, type, schema, {})).toThrow(UnknownSchema);
  });
});
