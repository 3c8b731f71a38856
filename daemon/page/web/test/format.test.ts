import assert from 'node:assert/strict';
import test from 'node:test';
import {ago, count, duration, list, localTime, logOf, number, percent, tick, utcTime} from '../src/format';

test('durations have their two largest units', () => {
  const rows: [number, string][] = [
    [0, '0s'], [420, '420ms'], [1000, '1s'], [59_999, '59s'], [60_000, '1m'], [125_000, '2m 5s'], [3_600_000, '1h'],
    [5_400_000, '1h 30m'], [3_605_000, '1h'], [90_000_000, '1d 1h'], [8_640_000_000, '100d'], [-5000, '-5s'], [NaN, '–'],
  ];
  for (const [ms, text] of rows) assert.equal(duration(ms), text, String(ms));
});

test('how long ago, and in how long', () => {
  const now = 1_000_000_000;
  const rows: [number, string][] = [
    [now, 'just now'], [now - 999, 'just now'], [now - 5000, '5s ago'], [now - 3_700_000, '1h 1m ago'],
    [now + 500, 'now'], [now + 1001, 'in 2s'], [now + 12_000, 'in 12s'], [NaN, '–'],
  ];
  for (const [at, text] of rows) assert.equal(ago(at, now), text, String(at - now));
});

test('what is far away is said again less often', () => {
  assert.equal(tick(5000), 1000);
  assert.equal(tick(-5000), 1000);
  assert.equal(tick(2 * 3_600_000), 60_000);
  assert.equal(tick(3 * 86_400_000), 3_600_000);
});

test('numbers have four significant digits, and no value is a dash', () => {
  const rows: [number | null | undefined, string][] = [
    [0, '0'], [0.083333, '0.08333'], [1234.56, '1235'], [123_456_789, '123456789'], [0.00000012, '1.2e-7'], [-0.5, '-0.5'],
    [NaN, 'NaN'], [Infinity, 'Infinity'], [null, '–'], [undefined, '–'],
  ];
  for (const [value, text] of rows) assert.equal(number(value), text);
  assert.equal(percent(12.5), '12.5 %');
  assert.equal(percent(0), '0 %');
  assert.equal(percent(null), '–');
});

test('one and many', () => {
  assert.equal(count(1, 'rollout'), '1 rollout');
  assert.equal(count(0, 'rollout'), '0 rollouts');
  assert.equal(count(2, 'policy', 'policies'), '2 policies');
  assert.equal(list([]), '');
  assert.equal(list(['a']), 'a');
  assert.equal(list(['a', 'b', 'c']), 'a, b and c');
});

test('local times say no more of the day than is needed', () => {
  const now = new Date(2026, 10, 26, 18, 0, 0).getTime();
  assert.equal(localTime(new Date(2026, 10, 26, 9, 5, 3).getTime(), now), '09:05:03');
  assert.equal(localTime(new Date(2026, 10, 25, 9, 5, 3).getTime(), now), '25 Nov 09:05:03');
  assert.equal(localTime(new Date(2025, 10, 26, 9, 5, 3).getTime(), now), '26 Nov 2025 09:05');
  assert.equal(localTime(NaN, now), '–');
});

test('UTC is said in full', () => {
  assert.equal(utcTime(Date.UTC(2026, 10, 26, 9, 5, 3, 123)), '2026-11-26 09:05:03.123 UTC');
  assert.equal(utcTime(Date.UTC(2026, 10, 26, 9, 5, 3)), '2026-11-26 09:05:03 UTC');
  assert.equal(utcTime(NaN), '–');
});

test('powers of ten lie evenly, and nothing at all lies at a thousandth', () => {
  assert.deepEqual([1, 100, 1e299, 0.1, 0, -1, null].map(logOf), [0, 2, 299, -1, -3, -3, null]);
});
