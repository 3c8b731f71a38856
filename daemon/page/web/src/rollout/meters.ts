// The numbers a condition is counted by, against what they lead to: each a sentence and how full it is.
import type {Compared} from '../api';
import {count, duration, logOf, number} from '../format';
import {kFinal} from '../words';
import {evidenceWords} from './compared';
import {type Report, type ReportCondition, spanOf, timeOf} from './report';

export interface Meter {
  name: string;
  text: string;
  value: number;
  most: number;
  bad: boolean; // full is bad
}

const kFollows: Record<string, string> = {rollback: 'it is rolled back', pause: 'it is paused', observe: 'it is recorded'};

function failing(one: ReportCondition, over: boolean): Meter {
  const all = one.within === 'all' || one.answers === 1 ? '' : 'the last ';
  const now = one.answers === 0 ? 'no answer counts yet' : `${one.failing} of ${all}${count(one.answers, 'answer')} failed`;
  const then = over || one.kind === 'readiness' ? `the limit is ${one.fail_after}` : `at ${one.fail_after} ${kFollows[one.on_fail] ?? one.on_fail}`;
  return {name: 'failing', text: `${now}; ${then}`, value: one.failing, most: one.fail_after, bad: true};
}

// On a logarithmic scale: each event multiplies the evidence.
function proof(one: ReportCondition, compared: Compared, over: boolean): Meter {
  const {evidence, needed} = compared;
  const text = `${evidenceWords(compared)}${over ? '' : `; at ${number(needed)} ${kFollows[one.on_fail] ?? one.on_fail}`}`;
  const most = Math.log10(needed);
  return {name: 'proof', text, value: Math.min(Math.max(logOf(evidence) ?? 0, 0), most), most, bad: true};
}

function passes(one: ReportCondition): Meter {
  const text = `${one.passes_in_step} passed in this step; ${one.min_passes} needed`;
  return {name: 'passes', text, value: Math.min(one.passes_in_step, one.min_passes), most: one.min_passes, bad: false};
}

function patience(one: ReportCondition, report: Report, now: number): Meter | null {
  const since = timeOf(one.silent_since);
  const most = spanOf(report.rollout.analysis['patience']);
  if (since === null || most === null) return null;
  const silent = Math.max(0, now - since);
  const then = silent < most ? `after ${duration(most)} a person is asked` : `longer than the patience of ${duration(most)}`;
  const text = `no answer for ${duration(silent)}; ${then}`;
  return {name: 'patience', text, value: Math.min(silent, most), most, bad: true};
}

function evidence(one: ReportCondition): Meter | null {
  const {comparison} = one;
  if ((comparison ?? one.evidence_query) === null || one.min_evidence === null || one.evidence === null) return null;
  const what = comparison === null ? 'events in the window' : comparison.candidate.events === null ? 'slots' : 'events of the candidate';
  const text = `${number(comparison === null ? one.evidence : Math.round(one.evidence))} ${what}; ${number(one.min_evidence)} needed to pass`;
  const most = Math.max(one.min_evidence, 1);
  return {name: 'evidence', text, value: Math.min(one.evidence, most), most, bad: false};
}

export function meters(one: ReportCondition, report: Report, now: number): Meter[] {
  const over = kFinal.has(report.rollout.state);
  const found: (Meter | null)[] = [one.comparison === null ? failing(one, over) : proof(one, one.comparison, over)];
  if (one.gating && !over) found.push(passes(one), patience(one, report, now));
  found.push(evidence(one));
  return found.filter((meter) => meter !== null);
}
