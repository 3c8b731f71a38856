// What deliveries are called and what their list asks for. Pure.
import type {Attempt, Deliveries, FleetDelivery} from '../api';
import {count, list, percent} from '../format';
import {address} from '../router';

export interface Asked {
  show: 'all' | 'failed' | 'open';
  class: string;
  target: string;
  cursor: string;
}

export function askedBy(query: URLSearchParams): Asked {
  const show = query.get('show');
  const kind = query.get('class') ?? '';
  return {
    show: show === 'failed' || show === 'open' ? show : 'all',
    class: kind === 'order' || kind === 'notification' ? kind : '',
    target: query.get('target') ?? '',
    cursor: query.get('cursor') ?? '',
  };
}

export const deliveriesHref = ({show, class: kind, target, cursor}: Asked): string =>
  address('/deliveries', {show: show === 'all' ? '' : show, class: kind, target, cursor});

const kStates: Record<Asked['show'], string[]> = {all: [], failed: ['failed'], open: ['pending', 'accepted']};

export const deliveriesPath = ({show, class: kind, target, cursor}: Asked): string =>
  address('/api/v1/deliveries', {state: kStates[show], class: kind, target, cursor, limit: '100'});

// "order to advance to 25 %", "notification of rolled back"
export function kindOf({class: kind, kind: what, weight}: Pick<FleetDelivery, 'class' | 'kind' | 'weight'>): string {
  const words = what.replaceAll('_', ' ');
  if (kind === 'notification') return `notification: ${words}`;
  const to = weight !== undefined && weight !== null && what === 'advance' ? ` to ${percent(weight)}` : '';
  return `order: ${what === 'rollback' ? 'roll back' : words}${to}`;
}

// What came of an attempt: "HTTP 503", "connection refused"
export function attemptWords({status, error}: Pick<Attempt, 'status' | 'error'>): string {
  if (error) return error;
  return status === null ? 'no answer' : `HTTP ${status}`;
}

export function deliveriesSentence({counts, targets}: Pick<Deliveries, 'counts' | 'targets'>): string {
  const open = counts.pending + counts.accepted;
  const closed = targets.filter(({breaker}) => breaker.state !== 'closed').map(({name}) => name);
  const parts = [
    counts.failed > 0 ? `${count(counts.failed, 'delivery', 'deliveries')} failed and ${counts.failed === 1 ? 'waits' : 'wait'} for a person` : 'No delivery has failed',
    open > 0 ? `${open} ${open === 1 ? 'is' : 'are'} on the way` : '',
    closed.length > 0 ? `${list(closed)} ${closed.length === 1 ? 'does' : 'do'} not take what is sent` : '',
  ].filter((part) => part !== '');
  return `${list(parts)}.`;
}

// What sending it again does, for who is asked to confirm it.
export function redeliverText(delivery: FleetDelivery): string {
  const what = `${delivery.service} ${delivery.candidate}`;
  return delivery.class === 'order'
    ? `${delivery.target} is ordered once more to roll back ${what}: the same order, with a new deadline. It takes the candidate out of traffic there.`
    : `${delivery.target} is sent the notification about ${what} once more.`;
}
