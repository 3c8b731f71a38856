// Pages of a list that is here already, newest first; what is older than that is in the API.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';
import {count} from '../format';
import {JsonLink} from '../ui/json_link';

export interface Pages<T> {
  rows: readonly T[];
  from: number;
  all: number;
  size: number;
  turn: (to: number) => void;
}

export function usePages<T>(all: readonly T[], size: number): Pages<T> {
  const [first, setFirst] = useState(0);
  const from = first < all.length ? first : 0;
  return {rows: all.slice(from, from + size), from, all: all.length, size, turn: setFirst};
}

export function Pager<T>({pages, earlier, json}: {pages: Pages<T>; earlier: number; json: string}): JSX.Element | null {
  const {from, all, size, turn} = pages;
  if (all <= size && earlier === 0) return null;
  const to = Math.min(from + size, all);
  return (
    <p class="pager">
      {from > 0 && <button type="button" class="small" onClick={() => turn(Math.max(0, from - size))}>Newer</button>}
      <span class="quiet">{from + 1} to {to} of {count(all + earlier, 'entry', 'entries')}</span>
      {to < all && <button type="button" class="small" onClick={() => turn(from + size)}>Older</button>}
      {to === all && earlier > 0 && <JsonLink href={json}>all of them as JSON</JsonLink>}
    </p>
  );
}
