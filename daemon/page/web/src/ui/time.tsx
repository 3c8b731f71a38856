// Times as people read them: local, with UTC where the pointer rests.
import type {JSX} from 'preact';
import {serverNow, useNow} from '../clock';
import {ago, duration, localTime, millis, tick, utcTime} from '../format';

const none = <span class="quiet">–</span>;

// "14:03:05", "26 Nov 14:03:05"
export function Time({at}: {at: string | null | undefined}): JSX.Element {
  const now = useNow(60_000);
  if (!at) return none;
  return <time dateTime={at} title={utcTime(millis(at))}>{localTime(millis(at), now)}</time>;
}

// "5m ago", "in 12s"; it goes on by itself.
export function Ago({at}: {at: string | null | undefined}): JSX.Element {
  const t = at ? millis(at) : NaN;
  const now = useNow(tick(serverNow() - t));
  if (!at) return none;
  return <time dateTime={at} title={`${localTime(t, now)} · ${utcTime(t)}`}>{ago(t, now)}</time>;
}

// What is to come: "in 12s", and "due" from then on, until the next answer says what came of it.
export function Due({at}: {at: string | null | undefined}): JSX.Element {
  const t = at ? millis(at) : NaN;
  const now = useNow(tick(serverNow() - t));
  return at && t <= now ? <time dateTime={at} title={utcTime(t)}>due</time> : <Ago at={at} />;
}

// How long it has been since `since`, or was until `until`.
export function Age({since, until}: {since: string; until?: string | null}): JSX.Element {
  const from = millis(since);
  const now = useNow(until ? 3_600_000 : tick(serverNow() - from));
  const to = until ? millis(until) : now;
  const title = `from ${localTime(from, now)} · ${utcTime(from)}${until ? `\nto ${localTime(to, now)} · ${utcTime(to)}` : ''}`;
  return <time dateTime={since} title={title}>{duration(Math.max(0, to - from))}</time>;
}
