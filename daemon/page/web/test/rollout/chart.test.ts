import assert from 'node:assert/strict';
import test from 'node:test';
import type {ReportPoints} from '../../src/api';
import {chartSentence, columnsOf, failingRanges, nearest, pointSentence, pointsOf, scaleOf, timeRange, worstOf} from '../../src/rollout/chart-data';
import {timeTicks} from '../../src/rollout/chart-ticks';
import {at, kBegan} from './fixture';

function columns(values: (number | null)[], outcome: string, more: Partial<ReportPoints> = {}): ReportPoints {
  return {
    at: values.map((_, i) => at(i * 30)), value: values, low: values, high: values, slots: values.map(() => 1), outcome,
    fails: [...outcome].map((letter) => (letter === 'f' ? 1 : 0)), ...more,
  };
}

const of = (values: (number | null)[], outcome: string, more: Partial<ReportPoints> = {}) => pointsOf(columns(values, outcome, more));

test('every letter of an outcome is its word', () => {
  assert.deepEqual(of([1, 2, 3, null, null, null], 'pfinem').map(({outcome}) => outcome), ['pass', 'fail', 'inconclusive', 'no_data', 'error', 'missed']);
});

test('a slot without a number is a gap, never a zero', () => {
  assert.deepEqual(columnsOf(of([0.01, null, 0], 'pnp')), {
    at: [kBegan / 1000, kBegan / 1000 + 30, kBegan / 1000 + 60], value: [0.01, null, 0], low: [0.01, null, 0], high: [0.01, null, 0],
  });
});

// [what it shows, points, limits, the scale]
const kScales: [string, (number | null)[], number[], [number, number]][] = [
  ['the limit is in view though all is far below it', [0.01, 0.02], [0.05], [0, 0.0575]],
  ['zero is in view', [0.5, 2], [], [0, 2.3]],
  ['what lies far from zero is looked at closely', [0.98, 1], [0.9], [0.885, 1.015]],
  ['below zero', [-2, 0], [], [-2.3, 0]],
  ['on both sides of zero', [-1, 1], [], [-1.3, 1.3]],
  ['always the same', [5, 5], [], [0, 5.75]],
  ['nothing but zero', [0, 0], [], [0, 1]],
  ['no value', [null], [], [0, 1]],
];
for (const [what, values, limits, [from, to]] of kScales) {
  test(`the scale: ${what}`, () => {
    const scale = scaleOf(of(values, 'p'.repeat(values.length)), limits);
    assert.ok(Math.abs(scale.from - from) < 1e-9 && Math.abs(scale.to - to) < 1e-9, JSON.stringify(scale));
  });
}

test('the greatest of the slots that one point stands for is within the scale', () => {
  assert.ok(scaleOf(of([0.01], 'f', {high: [0.4], slots: [12]}), []).to > 0.4);
});

// [rule, where it fails on a scale from 0 to 1]
const kFails: [{op: string; value: number} | null, object[]][] = [
  [{op: '>', value: 0.25}, [{from: 0.25, to: 1}]],
  [{op: '>=', value: 0.25}, [{from: 0.25, to: 1}]],
  [{op: '<', value: 0.25}, [{from: 0, to: 0.25}]],
  [{op: '<=', value: 0.25}, [{from: 0, to: 0.25}]],
  [{op: '>', value: -1}, [{from: 0, to: 1}]],
  [{op: '>', value: 2}, []],
  [{op: '<', value: -1}, []],
  [{op: '==', value: 0.25}, []],
  [null, []],
];
for (const [rule, expected] of kFails) {
  test(`where it fails if ${rule === null ? 'there is no rule' : `${rule.op} ${rule.value}`}`, () => assert.deepEqual(failingRanges(rule, {from: 0, to: 1}), expected));
}

test('of several slots the worst is what its rule fails', () => {
  const point = {value: 0.5, low: 0.1, high: 0.9};
  const worst = (op: string | null) => worstOf(point, op === null ? null : ({op, value: 0.5} as never));
  assert.deepEqual(['>', '>=', '<', '<=', null].map(worst), [0.9, 0.9, 0.1, 0.1, 0.9]);
  assert.equal(worstOf({value: null, low: null, high: null}, null), null);
});

test('all charts have the time from the first step or slot to the latest', () => {
  const range = timeRange([{points: columns([1, 1, 1], 'ppp')}, {points: columns([], '')}], [{at: kBegan - 40_000}]);
  assert.equal(range.from, (kBegan - 42_000) / 1000);
  assert.equal(range.to, (kBegan + 62_000) / 1000);
  assert.deepEqual(timeRange([], []), {from: 0, to: 1});
});

test('the pointer says the nearest point', () => {
  const points = of([1, 2, 3], 'ppp');
  assert.equal(nearest(points, kBegan + 44_000)?.value, 2);
  assert.equal(nearest(points, kBegan + 46_000)?.value, 3);
  assert.equal(nearest(points, 0)?.value, 1);
  assert.equal(nearest([], kBegan), undefined);
});

test('a point in words', () => {
  const one = (value: number | null, letter: string, more: Partial<ReportPoints> = {}) => pointSentence(of([value], letter, more)[0] as never);
  assert.equal(one(0.0123456, 'p'), '0.01235, pass');
  assert.equal(one(null, 'n'), 'no data');
  assert.equal(one(0.01, 'f', {low: [0.01], high: [0.09], slots: [12], fails: [2]}), '0.01 to 0.09 in 12 slots, 2 of them fail');
  assert.equal(one(null, 'm', {slots: [40]}), 'no value in 40 slots, missed');
});

test('the chart in a sentence says what an eye would see', () => {
  assert.equal(chartSentence('error-rate', of([0.01, 0.09, null], 'pfn'), 'fails if > 0.05'), 'error-rate: latest 0.09, between 0.01 and 0.09, fails if > 0.05; 1 slot failed');
  assert.equal(chartSentence('error-rate', of([null], 'n'), 'fails if > 0.05'), 'error-rate: no value yet');
});

test('ticks are at round times of the local clock', () => {
  const midnight = Date.parse('2026-11-26T00:00:00Z') / 1000;
  assert.deepEqual(timeTicks(midnight + 1, midnight + 95, 30, 0), [midnight + 30, midnight + 60, midnight + 90]);
  const east = 5.5 * 3600; // the whole hours of a clock that is half an hour beside UTC's
  assert.deepEqual(timeTicks(midnight, midnight + 7200, 3600, east), [midnight + 1800, midnight + 5400]);
  assert.deepEqual(timeTicks(midnight, midnight + 10, 60, 0), [midnight]);
});
