import { accept, refuse, unreachable, type Decider } from '../decider';
import type { EventCatalog } from '../event';

/** A small aggregate for the log's own tests: an account that never goes below zero. */
export type AccountEvent =
  | { type: 'AccountOpened'; data: { owner: string } }
  | { type: 'Deposited'; data: { amount: number } }
  | { type: 'Withdrawn'; data: { amount: number } };

export type AccountCommand =
  { type: 'Open'; owner: string } | { type: 'Deposit'; amount: number } | { type: 'Withdraw'; amount: number };

export interface Account {
  readonly owner: string | undefined;
  readonly balance: number;
}

export const accountCatalog: EventCatalog = {
  AccountOpened: { schema: 1 },
  Deposited: { schema: 1 },
  Withdrawn: { schema: 1 },
};

export const accountDecider: Decider<Account, AccountCommand, AccountEvent> = {
  kind: 'account',
  initial: { owner: undefined, balance: 0 },
  decide(state, command) {
    switch (command.type) {
      case 'Open':
        if (state.owner !== undefined) return refuse('exists', 'ACCOUNT_EXISTS', 'the account is open already');
        return accept({ type: 'AccountOpened', data: { owner: command.owner } });
      case 'Deposit':
        if (command.amount === 0) return accept();
        return accept({ type: 'Deposited', data: { amount: command.amount } });
      case 'Withdraw':
        if (command.amount > state.balance) return refuse('conflict', 'INSUFFICIENT', 'the balance is too low');
        return accept({ type: 'Withdrawn', data: { amount: command.amount } });
      default:
        return unreachable(command);
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case 'AccountOpened':
        return { ...state, owner: event.data.owner };
      case 'Deposited':
        return { ...state, balance: state.balance + event.data.amount };
      case 'Withdrawn':
        return { ...state, balance: state.balance - event.data.amount };
      default:
        return unreachable(event);
    }
  },
};
