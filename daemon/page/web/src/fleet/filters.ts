// The fleet's filters: what the address says, and what is asked of the API for it. Pure.
import {address} from '../router';
import type {State} from '../api';
import {kStates} from '../words';

export interface Filters {
  q: string;
  state: string; // one state, or none
  exact: Record<string, string>; // namespace, service, target, label.NAME: must be equal
  cursor: string;
  ended_cursor: string;
}

const isExact = (name: string): boolean => ['namespace', 'service', 'target'].includes(name) || /^label\../.test(name);

// What the page does not know is left out: an address with a typing error still shows something.
export function parseFilters(query: URLSearchParams): Filters {
  const state = query.get('state') ?? '';
  const exact: Record<string, string> = {};
  for (const [name, value] of query) if (isExact(name) && value) exact[name] = value;
  return {
    q: query.get('q') ?? '',
    state: state in kStates ? state : '',
    exact,
    cursor: query.get('cursor') ?? '',
    ended_cursor: query.get('ended_cursor') ?? '',
  };
}

export const filtersHref = ({q, state, exact, cursor, ended_cursor}: Filters): string =>
  address('/', {...exact, q, state, cursor, ended_cursor});

export const kActiveRows = 120;
export const kEndedRows = 60;

export const fleetPath = ({q, state, exact, cursor, ended_cursor}: Filters): string =>
  address('/api/v1/fleet', {...exact, q: q.trim(), state, cursor, ended_cursor, limit: String(kActiveRows), ended: String(kEndedRows)});

// Another filter begins at the first page again.
export const changed = (filters: Filters, change: Partial<Filters>): Filters => ({...filters, cursor: '', ended_cursor: '', ...change});

export function without(filters: Filters, name: string): Filters {
  const exact = {...filters.exact};
  delete exact[name];
  return changed(filters, {exact});
}

export const narrowed = ({q, state, exact}: Filters): boolean => q.trim() !== '' || state !== '' || Object.keys(exact).length > 0;

export const kStateNames = Object.keys(kStates) as State[];
