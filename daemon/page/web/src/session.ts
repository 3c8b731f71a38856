// Who uses the page: the token, and what it may do. The token is kept in memory, or for this tab if that was asked for.
import type {Boot, Me, Scope} from './api';
import {store, useStore} from './store';

export interface Session {
  token: string | null;
  me: Me | null; // null: not known (yet)
  asks: string | null; // a token is asked for, and this is why
}

const kKey = 'rollwatch.token';
const kByKey = 'rollwatch.by';

const kept = (): string | null => {
  try {
    return sessionStorage.getItem(kKey);
  } catch {
    return null; // storage is forbidden in this browser
  }
};

export const session = store<Session>({token: null, me: null, asks: null});

// With what the server wrote into the page, and what was kept for this tab.
export function beginSession(boot: Boot): void {
  const token = kept();
  const me = boot.me ?? null;
  session.set({token, me, asks: me || token ? null : boot.me === null ? 'A token is needed to read this.' : null});
}

export function keepToken(token: string, me: Me, forTab: boolean): void {
  try {
    if (forTab) sessionStorage.setItem(kKey, token);
    else sessionStorage.removeItem(kKey);
  } catch {
    // kept in memory alone
  }
  session.set({token, me, asks: null});
}

export function forgetToken(why: string): void {
  try {
    sessionStorage.removeItem(kKey);
  } catch {
    // there was nothing
  }
  session.set({token: null, me: null, asks: why});
}

export const learnMe = (me: Me): void => session.set({...session.get(), me});

// `namespace`: of what is to be changed. A token for certain namespaces may do nothing in others.
export function may(current: Session, scope: Scope, namespace?: string): boolean {
  const {me} = current;
  if (!me || !me.scopes.includes(scope)) return false;
  return me.namespaces.length === 0 || (namespace !== undefined && me.namespaces.includes(namespace));
}

// The name under which decisions are recorded: the one last given here, else the token's.
export function decidedBy(): string {
  try {
    const last = localStorage.getItem(kByKey);
    if (last) return last;
  } catch {
    // no storage: the token's
  }
  return session.get().me?.token ?? '';
}

export function rememberBy(by: string): void {
  try {
    localStorage.setItem(kByKey, by);
  } catch {
    // asked for again next time
  }
}

export const useSession = (): Session => useStore(session);
