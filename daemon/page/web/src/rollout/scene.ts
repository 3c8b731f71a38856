// What the chart of a condition shows: its values against its limits; of a comparison the evidence against what decides,
// on a logarithmic axis.
import type {Comparison} from '../api';
import {logOf, number} from '../format';
import {failingRanges, type Point, pointsOf, type Range, scaleOf} from './chart-data';
import type {Limit, Scene, StepMark} from './chart-draw';
import {type ReportCondition, spanOf} from './report';

export function ruleWords(one: ReportCondition): string {
  if (one.comparison !== null) return `fails if proven to be ${one.rule}`;
  if (one.series === 'any') return 'fails if a series comes back';
  if (one.series === 'none') return 'fails if no series comes back';
  const fails = one.fail_if === null ? '' : `fails if ${one.fail_if.op} ${number(one.fail_if.value)}`;
  const passes = one.pass_if === null ? '' : `passes if ${one.pass_if.op} ${number(one.pass_if.value)}`;
  return [fails, passes].filter((words) => words !== '').join(', ');
}

// "Every 30s, over 1m; the latest 1m are shaded, and where it fails is hatched."
export function captionOf({kind, interval, window}: Pick<ReportCondition, 'kind' | 'interval' | 'window'>): string {
  if (kind === 'comparison') return `The evidence, every ${interval}, on a logarithmic axis; where it decides is hatched.`;
  if (kind === 'count') return `Counted since the step began, every ${interval}; where it fails is hatched.`;
  return `Every ${interval}, over ${window}; the latest ${window} are shaded, and where it fails is hatched.`;
}

function limitOf(comparison: Comparison | null, verb: string): Limit[] {
  if (comparison === null) return [];
  const {op, value} = comparison;
  return [{value, text: `${verb} ${op} ${number(value)}`, above: !op.startsWith('<'), fails: verb === 'fails'}];
}

function onLogAxis(points: readonly Point[]): Point[] {
  return points.map((point) => ({...point, value: logOf(point.value), low: logOf(point.low), high: logOf(point.high)}));
}

export function sceneOf(one: ReportCondition, time: Range, steps: readonly StepMark[]): Scene {
  const points = pointsOf(one.points);
  if (one.comparison !== null) {
    const {needed} = one.comparison;
    const drawn = onLogAxis(points);
    const failIf = {op: '>=', value: Math.log10(needed)};
    const scale = scaleOf(drawn, [0, failIf.value]); // a gambler begins with 1, at 0
    const limits = [{value: failIf.value, text: `decides at ${number(needed)}`, above: true, fails: true}];
    return {points, drawn, isLog: true, scale, time, failing: failingRanges(failIf, scale), failIf, limits, window: null, steps};
  }
  const limits = [...limitOf(one.pass_if, 'passes'), ...limitOf(one.fail_if, 'fails')];
  const scale = scaleOf(points, limits.map(({value}) => value));
  const last = points.at(-1);
  const span = one.kind === 'count' ? null : spanOf(one.window);
  const window = last === undefined || span === null ? null : {from: (last.at - span) / 1000, to: last.at / 1000};
  return {points, drawn: points, isLog: false, scale, time, failing: failingRanges(one.fail_if, scale), failIf: one.fail_if, limits, window, steps};
}
