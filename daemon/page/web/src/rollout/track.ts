// The track: the steps of a rollout from the first weight to the promotion (and its soak), each with what became of
// it, and how far the one it is in has got.
import type {State} from '../api';
import {duration, percent} from '../format';
import {kFinal} from '../words';
import {type Report, spanOf, timeOf} from './report';

export type Mark = 'done' | 'here' | 'ahead' | 'stopped' | 'never';

export interface TrackStep {
  label: string; // "25 %", "watched", "100 %", "soak"
  note: string; // "holds 5m, then asks"
  mark: Mark;
  words: string; // the mark in words
  at: number | null; // when it began
  share: number | null; // of its hold that has passed, 0 to 1; only where it is
  leftMs: number | null; // of its hold; 0 when it is over and something is waited for
}

const kBack: ReadonlySet<State> = new Set<State>(['rolling_back', 'rolled_back', 'rollback_failed']);

// Which stage it has got to: the steps, the promotion (the last of them) and the soak after it; -1 before the first.
function reached(report: Report): number {
  const {rollout, steps} = report;
  if (rollout.state === 'promoted') return steps.length + 1;
  if (rollout.state === 'soaking') return steps.length;
  if (rollout.state === 'promoting') return steps.length - 1;
  if (rollout.step === null) return -1;
  if (rollout.step.weight === 100) return spanOf(report.clock.soak) ? steps.length : steps.length - 1;
  return rollout.step.index;
}

function markOf(stage: number, at: number, state: State): Mark {
  const over = kBack.has(state) || kFinal.has(state);
  if (stage < at) return 'done';
  if (stage > at) return over ? 'never' : 'ahead';
  return over ? 'stopped' : 'here';
}

function here(report: Report): string {
  const {state, order} = report.rollout;
  if (state === 'paused') return 'paused here';
  if (order === null) return 'it is here';
  const what = order.kind === 'advance' && order.weight !== null ? `${percent(order.weight)} is ordered` : `${order.kind} is ordered`;
  return order.accepted ? `${what} and accepted` : what;
}

function wordsOf(mark: Mark, report: Report): string {
  const {state} = report.rollout;
  if (mark === 'here') return here(report);
  if (mark === 'done') return 'done';
  if (mark === 'ahead') return 'still to come';
  if (mark === 'never') return 'not reached';
  return kBack.has(state) ? 'went back from here' : `ended here: ${state}`;
}

// How far the hold (or the soak) has got, on the server's clock.
function progress(mark: Mark, began: number | null, until: number | null, now: number): Pick<TrackStep, 'share' | 'leftMs'> {
  if (mark !== 'here' || until === null) return {share: null, leftMs: null};
  const leftMs = Math.max(0, until - now);
  if (began === null || until <= began) return {share: leftMs > 0 ? 0 : 1, leftMs};
  return {share: Math.min(1, Math.max(0, (now - began) / (until - began))), leftMs};
}

function noteOf(hold: string, approve: boolean, promotion: boolean): string {
  if (promotion) return approve ? 'asks first' : 'promoted';
  const ms = spanOf(hold) ?? 0;
  const held = ms > 0 ? `holds ${duration(ms)}` : 'no hold';
  return approve ? `${held}, then asks` : held;
}

// The last of the report's steps is the promotion.
export function track(report: Report, now: number): TrackStep[] {
  const at = reached(report);
  const {clock} = report;
  const stages = report.steps.map((step, index): TrackStep => {
    const mark = markOf(index, at, report.rollout.state);
    const promotion = index > 0 && index === report.steps.length - 1;
    const began = timeOf(step.began_at);
    const until = promotion ? null : timeOf(clock.hold_until);
    return {
      label: step.weight === null ? 'watched' : percent(step.weight),
      note: noteOf(step.hold, step.approve, promotion),
      mark,
      words: wordsOf(mark, report),
      at: began,
      ...progress(mark, began, until, now),
    };
  });
  const soak = spanOf(clock.soak) ?? 0;
  if (soak === 0) return stages;
  const mark = markOf(stages.length, at, report.rollout.state);
  const until = timeOf(clock.soak_until);
  const began = until === null ? null : until - soak;
  stages.push({
    label: 'soak',
    note: `watched ${duration(soak)}`,
    mark,
    words: wordsOf(mark, report),
    at: null,
    ...progress(mark, began, until, now),
  });
  return stages;
}

// What is marked on the charts: when each weight was reached, and what else changed the course.
export function marksOf(report: Report): {at: number; label: string}[] {
  const marks: {at: number; label: string}[] = [];
  for (const step of report.steps) {
    const at = timeOf(step.began_at);
    if (at !== null) marks.push({at, label: step.weight === null ? 'begins' : percent(step.weight)});
  }
  const turns: Record<string, string> = {paused: 'paused', resumed: 'resumed', rolled_back: 'rolled back', rollback_failed: 'rollback failed', cancelled: 'cancelled'};
  for (const event of report.events.items) {
    const at = timeOf(event.at);
    if (at === null) continue;
    const label = event.type === 'decided' && event.data.kind === 'rollback' ? 'rollback' : turns[event.type];
    if (label !== undefined) marks.push({at, label});
  }
  return marks.sort((a, b) => a.at - b.at);
}
