// What a chart shows, as numbers: its points (thinned by the server), the scale that has the limit in view, and where
// on it a value fails. No DOM here.
import type {Comparison, Outcome, ReportPoints} from '../api';
import {count, number} from '../format';
import {kOutcomes} from '../words';

// A point may stand for several slots: then `low` and `high` are the least and the greatest value of them,
// `value` the last, and `outcome` the worst.
export interface Point {
  at: number; // milliseconds
  value: number | null; // null: no number came of it
  low: number | null;
  high: number | null;
  slots: number;
  fails: number;
  outcome: Outcome;
}

const letters: Record<string, Outcome> = {
  p: 'pass',
  f: 'fail',
  i: 'inconclusive',
  n: 'no_data',
  e: 'error',
  m: 'missed',
};

export function pointsOf(columns: ReportPoints): Point[] {
  return columns.at.map((at, i) => ({
    at: Date.parse(at),
    value: columns.value[i] ?? null,
    low: columns.low[i] ?? columns.value[i] ?? null,
    high: columns.high[i] ?? columns.value[i] ?? null,
    slots: columns.slots[i] ?? 1,
    fails: columns.fails[i] ?? 0,
    outcome: letters[columns.outcome[i] ?? ''] ?? 'missed',
  }));
}

function least(values: readonly (number | null)[]): number | null {
  const numbers = values.filter((value) => value !== null);
  return numbers.length === 0 ? null : Math.min(...numbers);
}

function greatest(values: readonly (number | null)[]): number | null {
  const numbers = values.filter((value) => value !== null);
  return numbers.length === 0 ? null : Math.max(...numbers);
}

// The newest number there is.
function latest(points: readonly Point[]): number | null {
  return points.filter((point) => point.value !== null).at(-1)?.value ?? null;
}

export interface Range {
  from: number;
  to: number;
}

// The scale of values: everything measured and the limits, with some air; never empty. Zero is in view, so that a small
// change does not look like a big one, unless all of it lies so far from zero that no change would be seen.
export function scaleOf(points: readonly Point[], limits: readonly number[]): Range {
  let low = least([...points.map((point) => point.low), ...limits]);
  let high = greatest([...points.map((point) => point.high), ...limits]);
  if (low === null || high === null) return {from: 0, to: 1};
  const near = low > high / 2 || high < low / 2;
  if (!near || low === high) {
    low = Math.min(low, 0);
    high = Math.max(high, 0);
  }
  const air = (high - low) * 0.15 || 1;
  return {from: low === 0 ? 0 : low - air, to: high === 0 && low < 0 ? 0 : high + air};
}

// The parts of the scale in which a value fails. What is compared for equality has none.
export function failingRanges(failIf: Comparison | null, scale: Range): Range[] {
  if (failIf === null) return [];
  const limit = Math.min(Math.max(failIf.value, scale.from), scale.to);
  if (failIf.op === '>' || failIf.op === '>=') return limit < scale.to ? [{from: limit, to: scale.to}] : [];
  if (failIf.op === '<' || failIf.op === '<=') return limit > scale.from ? [{from: scale.from, to: limit}] : [];
  return [];
}

// Of a point that stands for several slots the value that fails by most.
export function worstOf({value, low, high}: Pick<Point, 'value' | 'low' | 'high'>, failIf: Comparison | null): number | null {
  const failsBelow = failIf !== null && (failIf.op === '<' || failIf.op === '<=');
  return (failsBelow ? low : high) ?? value;
}

export interface Columns {
  at: number[]; // seconds, as uPlot takes them
  value: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
}

export function columnsOf(points: readonly Point[]): Columns {
  return {
    at: points.map((point) => point.at / 1000),
    value: points.map((point) => point.value),
    low: points.map((point) => point.low),
    high: points.map((point) => point.high),
  };
}

// The time axis, the same for all conditions: from the first step or slot to the latest, and a little air.
export function timeRange(conditions: readonly {points: ReportPoints}[], steps: readonly {at: number}[]): Range {
  const times = steps.map((step) => step.at);
  for (const {points} of conditions) {
    for (const at of [points.at[0], points.at.at(-1)]) if (at !== undefined) times.push(Date.parse(at));
  }
  if (times.length === 0) return {from: 0, to: 1};
  const from = Math.min(...times);
  const to = Math.max(...times);
  const air = Math.max((to - from) * 0.02, 500);
  return {from: (from - air) / 1000, to: (to + air) / 1000};
}

// The point that lies nearest to a moment.
export function nearest(points: readonly Point[], at: number): Point | undefined {
  let found = points[0];
  for (const point of points) if (found !== undefined && Math.abs(point.at - at) < Math.abs(found.at - at)) found = point;
  return found;
}

// "0.012, pass"; of a point that stands for several slots "0.01 to 0.09 in 12 slots, 2 of them fail".
export function pointSentence(point: Point): string {
  if (point.slots === 1) {
    const word = kOutcomes[point.outcome].text;
    return point.value === null ? word : `${number(point.value)}, ${word}`;
  }
  const values = point.low === null ? 'no value' : `${number(point.low)} to ${number(point.high)}`;
  const fails = point.fails > 0 ? `, ${point.fails} of them fail` : `, ${kOutcomes[point.outcome].text}`;
  return `${values} in ${point.slots} slots${fails}`;
}

// The chart in one sentence, for those who do not see it.
export function chartSentence(name: string, points: readonly Point[], rule: string): string {
  const low = least(points.map((point) => point.low));
  const high = greatest(points.map((point) => point.high));
  if (low === null) return `${name}: no value yet`;
  const fails = points.reduce((sum, point) => sum + point.fails, 0);
  return `${name}: latest ${number(latest(points))}, between ${number(low)} and ${number(high)}, ${rule}; ${count(fails, 'slot')} failed`;
}
