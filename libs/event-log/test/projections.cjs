const { Column, Entity, PrimaryColumn } = require('typeorm');

/** An entity without decorators' syntax, so that a plain script and a spec declare the same. */
function entity(name, primary, columns) {
  class Row {}
  for (const [property, type] of Object.entries(primary)) PrimaryColumn(type)(Row.prototype, property);
  for (const [property, type] of Object.entries(columns)) Column(type)(Row.prototype, property);
  Entity({ name })(Row);
  return Row;
}

const balances = {
  name: 'balances',
  mode: 'inline',
  entity: entity('balances', { account: 'text' }, { balance: 'double precision', version: 'bigint' }),
  types: ['Deposited'],
  project: ({ stream: account, version, data }) => [
    { change: { account }, by: (row) => ({ account, balance: (row?.balance ?? 0) + data.amount, version }) },
  ],
};

const turnover = {
  name: 'turnover',
  mode: 'async',
  entity: entity('turnover', { tenant: 'text' }, { count: 'bigint', seq: 'bigint' }),
  types: ['Deposited'],
  project: ({ tenant, seq }) => [{ change: { tenant }, by: (row) => ({ tenant, count: (row?.count ?? 0) + 1, seq }) }],
};

module.exports = { balances, turnover };
