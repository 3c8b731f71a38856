// The fleet's filters as fields and chips; they live in the address.
import type {JSX} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';
import {Link, navigate} from '../router';
import {kStates} from '../words';
import {changed, filtersHref, kStateNames, narrowed, without, type Filters} from './filters';

const kPause = 250; // after the last letter

const typing = (element: Element | null): boolean => element instanceof HTMLElement && element.matches('input,textarea,select,[contenteditable]');

// "/" goes to the field, as in many a list.
function useSlash(field: {current: HTMLInputElement | null}): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || typing(document.activeElement)) return;
      if (document.querySelector('dialog[open]')) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [field]);
}

export function FilterBar({filters}: {filters: Filters}): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(filters.q);
  const latest = useRef(filters);
  latest.current = filters;
  useSlash(field);

  useEffect(() => {
    if (document.activeElement !== field.current) setText(filters.q); // another address: back, or a link
  }, [filters.q]);

  useEffect(() => {
    if (text === latest.current.q) return undefined;
    const timer = setTimeout(() => navigate(filtersHref(changed(latest.current, {q: text})), 'replace'), kPause);
    return () => clearTimeout(timer);
  }, [text]);

  const now = (event: Event) => {
    event.preventDefault();
    navigate(filtersHref(changed(latest.current, {q: text})), 'replace');
  };

  return (
    <form class="filters" role="search" aria-label="Rollouts" onSubmit={now}>
      <input type="search" ref={field} value={text} aria-label="Filter by service, namespace, target or candidate" aria-keyshortcuts="/"
        placeholder="Filter by service, target, version …  ( / )" autocomplete="off" spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} />
      <select aria-label="State" value={filters.state}
        onChange={(event) => navigate(filtersHref(changed(filters, {state: event.currentTarget.value})))}>
        <option value="">any state</option>
        {kStateNames.map((state) => <option key={state} value={state}>{kStates[state].text}</option>)}
      </select>
      {Object.entries(filters.exact).map(([name, value]) => (
        <Link key={name} class="chip" href={filtersHref(without(filters, name))} aria-label={`Remove the filter ${name} = ${value}`}>
          {name} = {value} <span aria-hidden="true">✕</span>
        </Link>
      ))}
      {narrowed(filters) && <Link class="clear" href="/">All rollouts</Link>}
    </form>
  );
}
