import assert from 'node:assert/strict';
import test from 'node:test';
import type {Event, EventData, Fleet, FleetRow, State} from '../src/api';
import {fleetSentence, nextSlot, stepWords, why, withEvent, worstWords} from '../src/fleet/fleet';

const kNow = Date.UTC(2026, 10, 26, 18, 0, 0);

const row = (id: string, more: Partial<FleetRow> = {}): FleetRow => ({
  id, namespace: 'default', service: 'checkout', target: 'default', stable: '1.23', candidate: '1.24', attempt: 1, policy: ['http'], observe: false,
  state: 'analyzing', verdict: 'passing', reason: 'watching at 5 %', percent: 5, step: {index: 0, weight: 5, since: null, count: 2}, weight: 5,
  question: null, freeze: null, worst: null, next_slot: null, by: 'ci', created_at: '2026-11-26T17:00:00.000Z', updated_at: '2026-11-26T17:00:00.000Z',
  ended_at: null, ...more,
});

const fleet = (active: FleetRow[], more: Partial<Fleet> = {}): Fleet => {
  const counts: Partial<Record<State, number>> = {};
  for (const {state} of active) counts[state] = (counts[state] ?? 0) + 1;
  return {counts, freeze: null, seq: 10, active: {items: active}, ended: {items: []}, ...more};
};

const event = (seq: number, rollout: string, data: Partial<EventData>): Event => ({
  seq, at: '2026-11-26T17:01:00.000Z', type: 'verdict', rollout,
  data: {state: 'analyzing', summary: '', verdict: 'passing', by: 'engine', ...data},
});

test('the fleet in one sentence, the worst first', () => {
  const rows: [Fleet, boolean, string][] = [
    [fleet([]), false, 'There is no rollout yet.'],
    [fleet([]), true, 'No active rollout matches the filter.'],
    [fleet([], {ended: {items: [row('a', {state: 'rolled_back'})]}}), false, 'No rollout is active; the last one, checkout 1.24, ended rolled back.'],
    [fleet([row('a')]), false, '1 rollout is active and not failing.'],
    [fleet([row('a', {verdict: 'failing'})]), false, '1 rollout is active: it is failing.'],
    [fleet([row('a', {verdict: 'unknown'})]), false, '1 rollout is active: it gets no answer.'],
    [fleet([row('a', {state: 'paused', verdict: 'unknown'})]), false, '1 rollout is active: it is paused and waits for a person.'],
    [fleet([row('a'), row('b')]), false, '2 rollouts are active, and none of them is failing.'],
    [
      fleet([row('a'), row('b', {state: 'paused'}), row('c', {state: 'rolling_back', verdict: 'failed'}), row('d', {verdict: 'unknown'}), row('e', {verdict: 'failing'})]),
      false, '5 rollouts are active: 1 is rolling back, 1 is paused and waits for a person, 1 is failing and 1 gets no answer.',
    ],
  ];
  for (const [value, narrowed, text] of rows) assert.equal(fleetSentence(value, narrowed, kNow), text);
});

test('that everything is frozen is said first', () => {
  const freeze = {namespace: null, service: null, in_force: true, text: 'frozen by ana: stocktaking', by: 'ana', reason: 'stocktaking', since: '', until: null};
  assert.match(fleetSentence(fleet([row('a')], {freeze}), false, kNow), /^Everything is frozen\. 1 rollout/);
});

test('a rollback that failed is said for a day, for somebody must act', () => {
  const failed = (id: string, ended_at: string) => row(id, {state: 'rollback_failed', service: 'stock', candidate: '2.2', ended_at});
  const rows: [FleetRow[], string][] = [
    [[failed('b', '2026-11-26T17:59:00.000Z')], '1 rollout is active and not failing. The rollback of stock 2.2 failed.'],
    [[failed('b', '2026-11-26T17:59:00.000Z'), failed('c', '2026-11-26T01:00:00.000Z')], '1 rollout is active and not failing. 2 rollbacks failed.'],
    [[failed('b', '2026-11-25T17:59:00.000Z')], '1 rollout is active and not failing.'],
  ];
  for (const [items, text] of rows) assert.equal(fleetSentence(fleet([row('a')], {ended: {items}}), false, kNow), text);
});

test('of rollouts on other pages nothing is claimed', () => {
  const counts = {analyzing: 250};
  assert.equal(fleetSentence(fleet([row('a'), row('b')], {counts}), false, kNow), '250 rollouts are active.');
  const failing = fleet([row('a', {verdict: 'failing'}), row('b')], {counts});
  assert.equal(fleetSentence(failing, false, kNow), '250 rollouts are active; of those shown 1 is failing.');
  const paused = fleet([row('a')], {counts: {analyzing: 250, paused: 3}});
  assert.equal(fleetSentence(paused, false, kNow), '253 rollouts are active: 3 are paused and wait for a person.');
});

test('an event changes its row at once', () => {
  const next = withEvent(fleet([row('a'), row('b')]), event(11, 'b', {state: 'paused', verdict: 'failing', weight: 25}));
  assert.deepEqual(next.active.items.map(({state, verdict, weight}) => [state, verdict, weight]), [['analyzing', 'passing', 5], ['paused', 'failing', 25]]);
  assert.deepEqual(next.counts, {analyzing: 1, paused: 1});
  assert.equal(next.seq, 11);
});

test('a rollout that ended goes below', () => {
  const next = withEvent(fleet([row('a'), row('b')]), event(11, 'a', {state: 'rolled_back', verdict: 'failed'}));
  assert.deepEqual(next.active.items.map(({id}) => id), ['b']);
  assert.deepEqual(next.ended.items.map(({id, state, ended_at}) => [id, state, ended_at]), [['a', 'rolled_back', '2026-11-26T17:01:00.000Z']]);
  assert.deepEqual(next.counts, {analyzing: 1});
});

test('a rollout that ended is below once, also if the answer had it above and below', () => {
  const both = fleet([row('a')], {ended: {items: [row('a', {state: 'rolled_back'}), row('b', {state: 'promoted'})]}});
  const next = withEvent(both, event(11, 'a', {state: 'rolled_back', verdict: 'failed'}));
  assert.deepEqual(next.ended.items.map(({id}) => id), ['a', 'b']);
});

test('an event that the answer had seen already changes nothing', () => {
  const before = fleet([row('a', {state: 'paused'})]);
  assert.equal(withEvent(before, event(10, 'a', {state: 'analyzing'})), before);
});

test('an event of a rollout that is not shown leaves the rows alone', () => {
  const before = fleet([row('a')]);
  const next = withEvent(before, event(11, 'z', {state: 'paused'}));
  assert.equal(next.active.items, before.active.items);
  assert.equal(next.counts, before.counts);
});

test('steps and values in words', () => {
  assert.equal(stepWords(row('a')), 'step 1 of 2 · 5 %');
  assert.equal(stepWords(row('a', {weight: 25})), 'step 1 of 2 · 25 %');
  assert.equal(stepWords(row('a', {weight: null, step: {index: 1, weight: null, since: null, count: 2}})), 'step 2 of 2');
  assert.equal(stepWords(row('a', {step: null, weight: null})), 'not begun');
  assert.equal(stepWords(row('a', {step: null, weight: 0})), 'not begun');
  assert.equal(stepWords(row('a', {step: null, weight: 40})), '40 %');
  assert.equal(worstWords({kind: 'threshold', value: 0.083333, rule: '> 0.05', limit: 0.05}), '0.08333 (rule > 0.05)');
  assert.equal(worstWords({kind: 'threshold', value: null, rule: '> 0.05', limit: 0.05}), 'no value (rule > 0.05)');
  assert.equal(worstWords({kind: 'comparison', value: 0.4, rule: '> 1.25 × stable', limit: 100}), 'evidence 0.4 of 100 (rule > 1.25 × stable)');
  assert.equal(worstWords({kind: 'comparison', value: null, rule: '> 1.25 × stable', limit: null}), 'no value (rule > 1.25 × stable)');
});

test('why does not say the state again, and a question or a freeze comes first', () => {
  const question = {id: 'q1', kind: 'deadline', text: 'go on?', since: '', lifts_itself: false};
  const rows: [Partial<FleetRow>, string][] = [
    [{state: 'rolled_back', reason: 'rolled back: error-rate 0.1 > 0.05'}, 'error-rate 0.1 > 0.05'],
    [{state: 'promoted', reason: 'promoted, and watched for 2s after it'}, 'promoted, and watched for 2s after it'],
    [{state: 'waiting', freeze: 'frozen by ana: stocktaking'}, 'frozen by ana: stocktaking'],
    [{state: 'paused', question, freeze: 'frozen by ana: stocktaking'}, 'go on?'],
    [{state: 'analyzing', reason: 'watching at 5 %'}, 'watching at 5 %'],
  ];
  for (const [more, text] of rows) assert.equal(why(row('a', more)), text);
});

test('the next slot of any row', () => {
  assert.equal(nextSlot([row('a'), row('b', {next_slot: '2026-11-26T17:00:30.000Z'}), row('c', {next_slot: '2026-11-26T17:00:10.000Z'})]), '2026-11-26T17:00:10.000Z');
  assert.equal(nextSlot([row('a')]), null);
});
