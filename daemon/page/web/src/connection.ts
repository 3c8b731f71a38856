// The state of the event stream as a pure function of what happened to it; live.ts does what follows from it.

export interface Connection {
  state: 'connecting' | 'live' | 'reconnecting' | 'off';
  since: number; // when it came to be so
  failures: number; // in a row
  retryAt: number | null; // when it is tried again
  why: string | null; // in words, of the last failure
  freshAt: number | null; // until when everything is known: the moment the server was last heard
}

export type Happening =
  | {type: 'opened'; at: number}
  | {type: 'stopped'; at: number} // on purpose: what it was is no longer so
  | {type: 'lost'; at: number; heard: number | null; why: string; retryAt: number}
  | {type: 'refused'; at: number; heard: number | null; why: string}; // not tried again by itself

const kOffAfter = 5; // failures in a row, about half a minute

export const kBegin: Connection = {state: 'connecting', since: 0, failures: 0, retryAt: null, why: null, freshAt: null};

export function connection(current: Connection, happening: Happening): Connection {
  const {at} = happening;
  if (happening.type === 'opened') {
    return {state: 'live', since: at, failures: 0, retryAt: null, why: null, freshAt: null};
  }
  if (happening.type === 'stopped') return current.state === 'live' ? {...current, state: 'connecting', since: at} : current;
  const {why, heard: freshAt} = happening;
  const failures = current.failures + 1;
  if (happening.type === 'refused') return {state: 'off', since: at, failures, retryAt: null, why, freshAt};
  const state = failures > kOffAfter ? 'off' : 'reconnecting';
  return {state, since: state === current.state ? current.since : at, failures, retryAt: happening.retryAt, why, freshAt};
}

// How long to wait after so many failures in a row: 1, 2, 4, 8, then 15 s, ±20 % so that not all pages come at once.
export function backoff(failures: number, random: number, retryAfter: number | null = null): number {
  const base = Math.min(1000 * 2 ** Math.max(0, failures - 1), 15_000);
  const asked = retryAfter === null ? 0 : Math.min(retryAfter, 60) * 1000;
  return Math.round(Math.max(base, asked) * (0.8 + 0.4 * random));
}
