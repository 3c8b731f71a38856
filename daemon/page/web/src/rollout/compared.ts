// What a comparison of the candidate with stable says, in words.
import type {Arm, Compared, Report, ReportCondition} from '../api';
import {number, percent} from '../format';

const part = (have: number, needed: number): string => `${number(have)} of ${number(needed)}`;

export const evidenceWords = ({evidence, needed}: Pick<Compared, 'evidence' | 'needed'>): string => `evidence ${part(evidence, needed)}`;

// "stable, bad events"; of what is asked but once ''
export function armWords({version, counts}: Partial<Arm>): string {
  return counts === 'bad_events' ? `${version}, bad events` : (version ?? '');
}

function soFar(one: Compared, gating: boolean): string {
  if (one.rejects) return one.evidence >= one.needed ? 'it is worse than stable' : 'all comparisons together have enough';
  if (one.held_back) return 'but parts of stable differ as much from each other, so nothing follows';
  if (one.suspicious) return gating ? 'suspicious, so the weight is kept' : 'suspicious';
  return one.evidence >= one.needed ? 'enough' : 'too little to call it worse';
}

// What was measured, and how much it proves. What only observes holds nothing back.
export const comparedSentence = (one: Compared, gating: boolean): string =>
  one.slots === 0 ? 'Nothing was compared yet.' : `${one.measured}; ${evidenceWords(one)}: ${soFar(one, gating)}.`;

// Beside a condition, where the rollout promises anything: what else can roll it back stands outside.
export function promiseTag(one: Pick<ReportCondition, 'comparison' | 'gating'>, {conditions}: Pick<Report, 'conditions'>): string | null {
  const {comparison, gating} = one;
  if (comparison !== null) return `${comparison.in_promise ? 'inside' : 'outside'} the promise`;
  return gating && conditions.some((other) => other.comparison?.in_promise) ? 'a guard: outside the promise' : null;
}

export function promiseWords({kind, in_promise, alpha}: Pick<Compared, 'kind' | 'in_promise' | 'alpha'>): string {
  const most = `at most ${percent(100 * alpha)}`;
  if (in_promise) return `inside the promise: ever rolled back by mistake with ${most}`;
  return `outside the promise: on its own, wrong with ${most}${kind === 'mann-whitney' ? ' in its one look a step' : ''}`;
}

// "1.27 times stable, 0.8 to 2.1 with 95 %"
export function ratioWords({ratio}: Pick<Compared, 'ratio'>): string | null {
  if (ratio === null || ratio.value === null) return null;
  const {value, low, high, level} = ratio;
  const interval = low === null && high === null ? '' : `, ${high === null ? `at least ${number(low)}` : `${number(low)} to ${number(high)}`} with ${percent(100 * level)}`;
  return `${number(value)} times stable${interval}`;
}

// Only where several share the promise.
export const togetherWords = (one: Compared): string | null => (one.needed === one.needed_together ? null : `evidence ${part(one.together, one.needed_together)}`);

export function earlyWords({early_promote, established, margin}: Pick<Compared, 'early_promote' | 'established' | 'margin'>): string | null {
  return early_promote ? `${established ? 'shown' : 'not shown yet'} not to be ${margin ?? ''}` : null;
}

export function assumptions({assumes, dispersion, history_slots}: Pick<Compared, 'assumes' | 'dispersion' | 'history_slots'>): string[] {
  const learnt = `bad events vary ${number(dispersion)} times as much as if each came alone: learnt from ${history_slots} slots before, and all since`;
  return dispersion === null ? assumes : [...assumes, learnt];
}
