// How the daemon is, in a sentence. Pure.
import type {Datasource, Node, Status, Target} from '../api';
import {count, duration, list, millis} from '../format';
import type {Word} from '../words';

export function datasourceWord({up}: Datasource): Word {
  if (up === null) return {text: 'not asked yet', shape: 'wait', tone: 'quiet'};
  return up ? {text: 'answers', shape: 'check', tone: 'good'} : {text: 'does not answer', shape: 'bang', tone: 'bad'};
}

// What is known of it: that its last attempts failed, or that none of them did.
export function targetWord({breaker, consecutive_failures: failures}: Target): Word {
  if (breaker.state === 'closed') return failures > 0 ? {text: 'failing', shape: 'cross', tone: 'warn'} : {text: 'no failure', shape: 'check', tone: 'good'};
  if (breaker.state === 'open') return {text: 'only probed', shape: 'bang', tone: 'bad'};
  return {text: 'being probed', shape: 'half', tone: 'warn'};
}

// A lease that has run out: another node takes its rollouts over.
export const leaseGone = ({lease_until}: Node, now: number): boolean => lease_until !== null && millis(lease_until) < now;

export function nodeWord(node: Node, now: number): Word {
  if (leaseGone(node, now)) return {text: 'silent', shape: 'bang', tone: 'bad'};
  return {text: 'alive', shape: 'check', tone: 'good'};
}

// "15s", and where it comes from.
export const delayWords = ({ingestion_delay, measured}: Datasource): string => `${ingestion_delay}${measured ? ' (measured)' : ''}`;

export function statusSentence(status: Status, now: number): string {
  const trouble: string[] = [];
  if (!status.ready) trouble.push(status.not_ready ?? 'the daemon is not ready');
  if (status.store.trouble) trouble.push(`the store has trouble: ${status.store.trouble}`);
  const down = status.datasources.filter(({up}) => up === false).map(({name}) => name);
  if (down.length > 0) trouble.push(`datasource ${list(down)} ${down.length === 1 ? 'does' : 'do'} not answer`);
  const closed = status.targets.filter(({breaker}) => breaker.state !== 'closed').map(({name}) => name);
  if (closed.length > 0) trouble.push(`${list(closed)} ${closed.length === 1 ? 'does' : 'do'} not take what is sent`);
  for (const {name, breaker, consecutive_failures: failures} of status.targets) {
    if (breaker.state === 'closed' && failures > 0) trouble.push(`${name} has failed ${failures === 1 ? 'once' : `${failures} times in a row`}`);
  }
  const silent = status.nodes.filter((node) => leaseGone(node, now)).map(({name}) => name);
  if (silent.length > 0) trouble.push(`node ${list(silent)} ${silent.length === 1 ? 'is' : 'are'} silent`);
  if (status.configuration.last_reload?.ok === false) trouble.push('the last reload was refused, the configuration before it is in force');
  if (trouble.length > 0) {
    const text = trouble.join('; ');
    return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`;
  }
  const asked = status.datasources.filter(({up}) => up === true).length;
  const sources = asked === status.datasources.length ? `${count(asked, 'datasource')} ${asked === 1 ? 'answers' : 'answer'}` : `${asked} of ${count(status.datasources.length, 'datasource')} ${asked === 1 ? 'has' : 'have'} answered so far`;
  const nodes = status.nodes.length > 1 ? `, ${status.nodes.length} nodes are alive` : '';
  return `No trouble is known: ${sources}, no target fails${nodes}; up for ${duration(now - millis(status.started_at))}.`;
}
