import assert from 'node:assert/strict';
import test from 'node:test';
import {askAfter, joined, kMostSlots, nextLook, spanOf, timeOf} from '../../src/rollout/report';
import type {Delivery} from '../../src/api';
import {at, condition, delivery, kBegan, report, slot} from './fixture';

const points = (n: number) => ({
  at: Array.from({length: n}, (_, i) => at(i)), value: Array.from({length: n}, () => 1), low: Array.from({length: n}, () => 1),
  high: Array.from({length: n}, () => 1), slots: Array.from({length: n}, () => 1), outcome: 'p'.repeat(n), fails: Array.from({length: n}, () => 0),
});

test('a newer report brings what is new of slots and points, and replaces the rest', () => {
  const before = report('analyzing', {reason: 'watching at 5 %'});
  const after = report('rolling_back', {reason: 'error-rate 0.09 > 0.05'}, {
    headline: 'checkout 1.24 is being rolled back', evaluations_after: 3,
    conditions: [condition({
      verdict: 'failed', slots: [slot(3, 'fail', 0.09)],
      points: {at: [at(90)], value: [0.09], low: [0.09], high: [0.09], slots: [1], outcome: 'f', fails: [1]},
    })],
  });
  const now = joined(before, after);
  assert.equal(now.headline, 'checkout 1.24 is being rolled back');
  assert.equal(now.evaluations_after, 3);
  const [one] = now.conditions;
  assert.equal(one?.verdict, 'failed');
  assert.deepEqual(one?.slots.map(({number}) => number), [1, 2, 3]);
  assert.deepEqual(one?.points.value, [0.01, 0.02, 0.09]);
  assert.equal(one?.points.outcome, 'ppf');
  assert.deepEqual(one?.points.fails, [0, 0, 1]);
  assert.equal(before.conditions[0]?.slots.length, 2); // what was shown is left as it was
});

test('a condition that was not there before is taken as it is', () => {
  const now = joined(report('analyzing', {}, {conditions: []}), report('analyzing'));
  assert.equal(now.conditions[0]?.slots.length, 2);
});

test('only the latest slots are kept', () => {
  const many = Array.from({length: kMostSlots}, (_, i) => slot(i, 'pass', 1));
  const before = report('analyzing', {}, {conditions: [condition({slots: many})]});
  const slots = joined(before, report('analyzing')).conditions[0]?.slots;
  assert.equal(slots?.length, kMostSlots);
  assert.equal(slots?.[0]?.number, 2);
});

test('it is asked for what is new until there are too many points to append to', () => {
  assert.equal(askAfter(report('analyzing', {}, {evaluations_after: 700})), 700);
  const full = report('analyzing', {}, {evaluations_after: 5000, conditions: [condition({points: points(1201)})]});
  assert.equal(askAfter(full), null);
});

test('it is looked again shortly after the next slot, never in less than five seconds, and not after the last', () => {
  const look = (next: string | null) => nextLook(report('analyzing', {next_slot: next}), kBegan);
  assert.equal(look(at(30)), 31_500);
  assert.equal(look(at(1)), 5000);
  assert.equal(look(at(-60)), 5000);
  assert.equal(look(null), null);
  const after = (state: Delivery['state'], next: string | null) =>
    nextLook(report('promoted', {next_slot: next}, {deliveries: {items: [delivery('ntf_1', {state})], earlier: 0}}), kBegan);
  assert.deepEqual([after('pending', null), after('accepted', at(30)), after('pending', at(1)), after('done', null)], [10_000, 10_000, 5000, null]);
});

// [text, milliseconds]
const kSpans: [unknown, number | null][] = [
  ['30s', 30_000], ['1h30m', 5_400_000], ['500ms', 500], ['7d', 604_800_000], ['0s', 0],
  ['5 s', null], ['', null], ['s', null], [30, null], [undefined, null],
];
for (const [text, expected] of kSpans) test(`a span of ${String(text)}`, () => assert.equal(spanOf(text), expected));

test('a time that is none is null', () => {
  assert.equal(timeOf('2026-11-26T14:00:00.000Z'), kBegan);
  assert.equal(timeOf('soon'), null);
  assert.equal(timeOf(null), null);
  assert.equal(timeOf(undefined), null);
});
