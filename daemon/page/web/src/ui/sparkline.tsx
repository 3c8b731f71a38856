// A small line of the latest values, with the limit and the slots that failed or gave no value.
import type {JSX} from 'preact';
import type {Outcome} from '../api';
import {logOf, number} from '../format';
import {kOutcomes, wordOf} from '../words';

export interface SparkPoint {
  value: number | null;
  outcome: Outcome;
}

interface Props {
  points: SparkPoint[];
  limit?: number | null;
  isLog?: boolean; // powers of ten lie evenly
  name: string; // what is drawn, for who cannot see it
}

export const kWidth = 120;
export const kHeight = 26;
const kEdge = 3;

// Where each point lies; y is null where there is no value. Pure, for the tests.
export function layout(points: SparkPoint[], limit: number | null): {x: number; y: number | null}[] & {limitY?: number} {
  const values = points.map((point) => point.value).filter((value): value is number => value !== null && Number.isFinite(value));
  const all = limit === null ? values : [...values, limit];
  const low = Math.min(...all, ...(all.every((value) => value >= 0) ? [0] : []));
  const high = Math.max(...all);
  const span = high - low || 1;
  const y = (value: number) => kHeight - kEdge - ((value - low) / span) * (kHeight - 2 * kEdge);
  const step = points.length > 1 ? (kWidth - 2 * kEdge) / (points.length - 1) : 0;
  const placed: {x: number; y: number | null}[] & {limitY?: number} = points.map((point, index) => ({
    x: points.length > 1 ? kEdge + index * step : kWidth / 2,
    y: point.value !== null && Number.isFinite(point.value) ? y(point.value) : null,
  }));
  if (limit !== null && all.length > 0) placed.limitY = y(limit);
  return placed;
}

const tenth = (n: number): string => String(Math.round(n * 10) / 10);

// The line, broken where there is no value.
export function linePath(placed: {x: number; y: number | null}[]): string {
  let path = '';
  let pen = false;
  for (const {x, y} of placed) {
    if (y !== null) path += `${pen ? 'L' : 'M'}${tenth(x)} ${tenth(y)}`;
    pen = y !== null;
  }
  return path;
}

export function describe(points: SparkPoint[], name: string): string {
  const latest = [...points].reverse().find((point) => point.value !== null);
  const counts = new Map<Outcome, number>();
  for (const {outcome} of points) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const parts = [...counts].map(([outcome, n]) => `${n} ${wordOf(kOutcomes, outcome).text}`);
  return `${name}, the latest ${points.length} slots: ${parts.join(', ')}${latest ? `; latest value ${number(latest.value)}` : ''}`;
}

export function Sparkline({points, limit = null, isLog, name}: Props): JSX.Element {
  if (points.length === 0) return <span class="quiet">no slot yet</span>;
  const placed = isLog ? layout(points.map((point) => ({...point, value: logOf(point.value)})), logOf(limit)) : layout(points, limit);
  const last = placed[placed.length - 1];
  const label = describe(points, name);
  return (
    <svg class="spark" viewBox={`0 0 ${kWidth} ${kHeight}`} width={kWidth} height={kHeight} role="img" aria-label={label}>
      <title>{label}</title>
      {placed.limitY !== undefined && <path class="spark-limit" d={`M0 ${tenth(placed.limitY)}H${kWidth}`} />}
      <path class="spark-line" d={linePath(placed)} />
      {placed.map(({x, y}, index) => {
        const outcome = points[index]?.outcome;
        if (outcome === 'fail') {
          const at = y ?? kHeight - kEdge;
          return <path class="spark-fail" d={`M${tenth(x - 2.5)} ${tenth(at - 2.5)}l5 5m0-5l-5 5`} />;
        }
        if (y === null && outcome !== 'pass') return <path class={`spark-gap ${outcome}`} d={`M${tenth(x)} ${kHeight - 5}v5`} />;
        return null;
      })}
      {last && last.y !== null && points[points.length - 1]?.outcome !== 'fail' && <circle class="spark-last" cx={tenth(last.x)} cy={tenth(last.y)} r="2" />}
    </svg>
  );
}
