import assert from 'node:assert/strict';
import test from 'node:test';
import type {Outcome} from '../src/api';
import {describe, kHeight, kWidth, layout, linePath, type SparkPoint} from '../src/ui/sparkline';

const points = (...values: (number | null)[]): SparkPoint[] => values.map((value) => ({value, outcome: (value === null ? 'no_data' : 'pass') as Outcome}));

test('everything lies inside, also the limit, and from left to right', () => {
  for (const values of [[0.01, 0.2, 0.03], [5], [-3, 4], [1e-9, 1e9], [2, 2, 2]]) {
    const placed = layout(points(...values), 0.05);
    for (const {x, y} of placed) assert.ok(x >= 0 && x <= kWidth && y !== null && y >= 0 && y <= kHeight, JSON.stringify(placed));
    assert.ok(placed.limitY !== undefined && placed.limitY >= 0 && placed.limitY <= kHeight);
    assert.deepEqual([...placed].map(({x}) => x), [...placed].map(({x}) => x).sort((a, b) => a - b));
  }
});

test('a larger value is higher, and zero is at the bottom where nothing is below it', () => {
  const [low, high] = layout(points(0, 10), null);
  assert.ok(low && high && low.y !== null && high.y !== null && low.y > high.y);
  assert.equal(low.y, kHeight - 3);
});

test('no value is a gap, not a zero', () => {
  const placed = layout(points(1, null, 2), null);
  assert.equal(placed[1]?.y, null);
  assert.equal(linePath(placed).match(/M/g)?.length, 2);
});

test('nothing but gaps is an empty line', () => {
  assert.equal(linePath(layout(points(null, null), null)), '');
  assert.equal(linePath([]), '');
});

test('it says what it shows', () => {
  assert.equal(describe([...points(0.01, null), {value: 0.2, outcome: 'fail'}], 'error-rate'), 'error-rate, the latest 3 slots: 1 pass, 1 no data, 1 fail; latest value 0.2');
});
