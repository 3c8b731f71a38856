// Addresses: which view they mean, and which address a view has. The parsing is pure; the rest follows the history.
import {h, type ComponentChildren, type JSX} from 'preact';
import {store, useStore} from './store';

export type Route =
  | {view: 'fleet'; query: URLSearchParams}
  | {view: 'rollout'; id: string}
  | {view: 'policies'}
  | {view: 'policy'; name: string; query: URLSearchParams}
  | {view: 'deliveries'; query: URLSearchParams}
  | {view: 'system'}
  | {view: 'missing'; path: string};

const decoded = (part: string): string | null => {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
};

export function parseRoute(pathname: string, search: string): Route {
  const query = new URLSearchParams(search);
  const [first = '', second, ...more] = pathname.replace(/^\//, '').replace(/\/$/, '').split('/');
  const name = second === undefined ? undefined : decoded(second);
  if (more.length === 0 && name !== null) {
    if (first === '' && name === undefined) return {view: 'fleet', query};
    if (first === 'rollouts' && name) return {view: 'rollout', id: name};
    if (first === 'policies') return name ? {view: 'policy', name, query} : {view: 'policies'};
    if (first === 'deliveries' && name === undefined) return {view: 'deliveries', query};
    if (first === 'system' && name === undefined) return {view: 'system'};
  }
  return {view: 'missing', path: pathname};
}

// An address with what is not empty of `parameters`, in the order of their names, so that one view has one address.
export function address(path: string, parameters: Record<string, string | string[] | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const name of Object.keys(parameters).sort()) {
    const value = parameters[name];
    for (const each of Array.isArray(value) ? value : [value]) if (each) query.append(name, each);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export const rolloutHref = (id: string): string => `/rollouts/${encodeURIComponent(id)}`;
export const policyHref = (name: string, parameters: Record<string, string | undefined> = {}): string =>
  address(`/policies/${encodeURIComponent(name)}`, parameters);

// ---- The history ----

const here = (): string => location.pathname + location.search;

const at = store<string>(typeof location === 'undefined' ? '/' : here());

if (typeof window !== 'undefined') window.addEventListener('popstate', () => at.set(here()));

export function navigate(href: string, how: 'push' | 'replace' = 'push'): void {
  if (href === here()) return;
  if (how === 'push') history.pushState(null, '', href);
  else history.replaceState(null, '', href);
  at.set(here());
  if (how === 'push') window.scrollTo(0, 0);
}

export function useRoute(): Route {
  const [path = '/', search = ''] = useStore(at).split(/(?=\?)/);
  return parseRoute(path, search);
}

interface LinkProps {
  href: string;
  children?: ComponentChildren;
  class?: string;
  title?: string | undefined;
  'aria-label'?: string;
  'aria-current'?: 'page' | undefined;
}

// A link to another view; whatever asks for a new tab or window is left to the browser.
export function Link({href, children, ...rest}: LinkProps): JSX.Element {
  const onClick = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.defaultPrevented) return;
    event.preventDefault();
    navigate(href);
  };
  return h('a', {...rest, href, onClick}, children);
}
