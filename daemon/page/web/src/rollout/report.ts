// The answer of GET /api/v1/rollouts/{id}/report: how a newer one joins what is shown already, and its times as numbers.
import type {Report, ReportCondition, ReportPoints, Time} from '../api';

export type {Report, ReportCondition, ReportSlot as Slot, Verb} from '../api';

export const kMostSlots = 60;
const kMostPoints = 1200; // kept in the page; when there are more everything is asked for anew, thinned

function joinedPoints(before: ReportPoints, after: ReportPoints): ReportPoints {
  return {
    at: [...before.at, ...after.at],
    value: [...before.value, ...after.value],
    low: [...before.low, ...after.low],
    high: [...before.high, ...after.high],
    slots: [...before.slots, ...after.slots],
    outcome: before.outcome + after.outcome,
    fails: [...before.fails, ...after.fails],
  };
}

// `after` was asked for with ?after=before.evaluations_after: of slots and points it has only what is new.
export function joined(before: Report, after: Report): Report {
  const known = new Map(before.conditions.map((one) => [one.name, one]));
  const conditions = after.conditions.map((one): ReportCondition => {
    const old = known.get(one.name);
    if (old === undefined) return one;
    return {...one, slots: [...old.slots, ...one.slots].slice(-kMostSlots), points: joinedPoints(old.points, one.points)};
  });
  return {...after, conditions};
}

// After which evaluation to ask next; null: for everything anew, because the page has too much to append to.
export function askAfter(report: Report): number | null {
  const most = Math.max(0, ...report.conditions.map((one) => one.points.at.length));
  return most > kMostPoints ? null : report.evaluations_after;
}

// "1h30m" → milliseconds; null for anything that is no duration of the API's.
export function spanOf(text: unknown): number | null {
  if (typeof text !== 'string' || !/^(\d+(ms|s|m|h|d))+$/.test(text)) return null;
  const units: Record<string, number> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000};
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) sum += Number(amount) * (units[unit ?? ''] ?? 0);
  return sum;
}

export function timeOf(text: Time | null | undefined): number | null {
  const at = text ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? null : at;
}

const kSoonest = 5000; // slots may come every second; people look no faster than that
const kLate = 1500; // a slot is asked, answered and recorded by then

const kDelivery = 10_000; // of one that is not done; attempts are minutes apart at most

// In how many milliseconds something may have changed that no event tells: a slot, a delivery. null: nothing more will.
export function nextLook(report: Report, now: number): number | null {
  const next = timeOf(report.rollout.next_slot);
  const slot = next === null ? Infinity : Math.max(kSoonest, next + kLate - now);
  const delivers = report.deliveries.items.some(({state}) => state === 'pending' || state === 'accepted');
  const soonest = Math.min(slot, delivers ? kDelivery : Infinity);
  return soonest === Infinity ? null : soonest;
}
