import assert from 'node:assert/strict';
import test from 'node:test';
import type {FleetDelivery, Target} from '../src/api';
import {askedBy, attemptWords, deliveriesHref, deliveriesPath, deliveriesSentence, kindOf, redeliverText} from '../src/deliveries/deliveries';

const target = (name: string, state: Target['breaker']['state']): Target => ({
  name, kind: 'notifier', breaker: {state, since: null, next_probe: null}, consecutive_failures: 0, last_error: null, open_deliveries: 0,
});
const asked = (query: string) => askedBy(new URLSearchParams(query));

test('what is shown lives in the address', () => {
  for (const query of ['', 'show=failed', 'class=order&show=open&target=deployer', 'cursor=abc']) assert.equal(deliveriesHref(asked(query)), query ? `/deliveries?${[...new URLSearchParams(query)].sort().map(([k, v]) => `${k}=${v}`).join('&')}` : '/deliveries');
  assert.equal(deliveriesHref(asked('show=none&class=letter')), '/deliveries');
});

test('what is asked for', () => {
  assert.equal(deliveriesPath(asked('')), '/api/v1/deliveries?limit=100');
  assert.equal(deliveriesPath(asked('show=open&class=order&target=a')), '/api/v1/deliveries?class=order&limit=100&state=pending&state=accepted&target=a');
  assert.equal(deliveriesPath(asked('show=failed')), '/api/v1/deliveries?limit=100&state=failed');
});

test('deliveries are called by what they do', () => {
  const rows: [Pick<FleetDelivery, 'class' | 'kind' | 'weight'>, string][] = [
    [{class: 'order', kind: 'advance', weight: 25}, 'order: advance to 25 %'],
    [{class: 'order', kind: 'rollback', weight: 0}, 'order: roll back'],
    [{class: 'order', kind: 'promote', weight: 100}, 'order: promote'],
    [{class: 'notification', kind: 'rollback_failed'}, 'notification: rollback failed'],
  ];
  for (const [delivery, text] of rows) assert.equal(kindOf(delivery), text);
});

test('what came of an attempt', () => {
  assert.equal(attemptWords({status: 503, error: 'HTTP 503'}), 'HTTP 503');
  assert.equal(attemptWords({status: 200, error: null}), 'HTTP 200');
  assert.equal(attemptWords({status: null, error: null}), 'no answer');
});

test('all deliveries in one sentence', () => {
  const counts = (pending: number, accepted: number, failed: number) => ({pending, accepted, failed});
  assert.equal(deliveriesSentence({counts: counts(0, 0, 0), targets: [target('a', 'closed')]}), 'No delivery has failed.');
  assert.equal(deliveriesSentence({counts: counts(1, 1, 1), targets: []}), '1 delivery failed and waits for a person and 2 are on the way.');
  assert.equal(deliveriesSentence({counts: counts(0, 0, 2), targets: [target('a', 'open'), target('b', 'half_open')]}), '2 deliveries failed and wait for a person and a and b do not take what is sent.');
});

test('who is asked to confirm is told what follows', () => {
  const delivery = {class: 'order', kind: 'rollback', target: 'deployer', service: 'checkout', candidate: '1.24'} as FleetDelivery;
  assert.match(redeliverText(delivery), /deployer is ordered once more to roll back checkout 1\.24/);
  assert.match(redeliverText({...delivery, class: 'notification', target: 'releases'}), /releases is sent the notification about checkout 1\.24 once more/);
});
