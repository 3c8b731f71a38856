// What the fleet's answer comes to in a sentence, and what an event changes in it. Pure.
import type {Event, Fleet, FleetRow, State, Worst} from '../api';
import {count, list, millis, number, percent} from '../format';
import {kFinal, kStates, wordOf} from '../words';

export const titleOf = (row: Pick<FleetRow, 'service' | 'candidate'>): string => `${row.service} ${row.candidate}`;

// "1 is", "3 are"
const are = (n: number): string => `${n} ${n === 1 ? 'is' : 'are'}`;

function trouble(rows: FleetRow[]): {failing: number; unknown: number} {
  let failing = 0;
  let unknown = 0;
  for (const {state, verdict} of rows) {
    if (state === 'paused' || state === 'rolling_back') continue; // said already
    if (verdict === 'failing' || verdict === 'failed') ++failing;
    else if (verdict === 'unknown') ++unknown;
  }
  return {failing, unknown};
}

const kDay = 86_400_000;

// Rollbacks that failed lately: the rollout has ended, and yet somebody must act.
function failedRollbacks(rows: FleetRow[], now: number): string {
  const failed = rows.filter(({state, ended_at}) => state === 'rollback_failed' && ended_at !== null && now - millis(ended_at) < kDay);
  const first = failed[0];
  if (!first) return '';
  return failed.length === 1 ? ` The rollback of ${titleOf(first)} failed.` : ` ${failed.length} rollbacks failed.`;
}

// The fleet in a sentence, what is worst first.
export function fleetSentence(fleet: Fleet, isNarrowed: boolean, now: number): string {
  return activeSentence(fleet, isNarrowed) + failedRollbacks(fleet.ended.items, now);
}

function activeSentence(fleet: Fleet, isNarrowed: boolean): string {
  const held = fleet.freeze ? 'Everything is frozen. ' : '';
  const total = Object.values(fleet.counts).reduce((sum, n) => sum + n, 0);
  if (total === 0) {
    if (isNarrowed) return `${held}No active rollout matches the filter.`;
    const last = fleet.ended.items[0];
    if (!last) return `${held}There is no rollout yet.`;
    return `${held}No rollout is active; the last one, ${titleOf(last)}, ended ${wordOf(kStates, last.state).text}.`;
  }
  const {failing, unknown} = trouble(fleet.active.items);
  const rolling = fleet.counts.rolling_back ?? 0;
  const paused = fleet.counts.paused ?? 0;
  const parts: string[] = [];
  if (rolling > 0) parts.push(`${are(rolling)} rolling back`);
  if (paused > 0) parts.push(`${are(paused)} paused and ${paused === 1 ? 'waits' : 'wait'} for a person`);
  const seen: string[] = []; // of the rows, the verdicts of all others are not known here
  if (failing > 0) seen.push(`${are(failing)} failing`);
  if (unknown > 0) seen.push(unknown === 1 ? '1 gets no answer' : `${unknown} get no answers`);
  const subject = `${count(total, 'rollout')} ${total === 1 ? 'is' : 'are'} active`;
  if (fleet.active.items.length < total) {
    const all = parts.length > 0 ? `: ${list(parts)}` : '';
    return `${held}${subject}${all}${seen.length > 0 ? `; of those shown ${list(seen)}` : ''}.`;
  }
  parts.push(...seen);
  if (parts.length === 0) return `${held}${subject}${total === 1 ? ' and not failing' : ', and none of them is failing'}.`;
  if (total === 1) return `${held}1 rollout is active: ${(parts[0] ?? '').replace(/^1 /, 'it ')}.`;
  return `${held}${subject}: ${list(parts)}.`;
}

// "step 1 of 2 · 5 %"
export function stepWords({step, weight}: Pick<FleetRow, 'step' | 'weight'>): string {
  if (!step) return weight ? percent(weight) : 'not begun';
  const place = `step ${step.index + 1} of ${step.count}`;
  const shown = weight ?? step.weight;
  return shown === null ? place : `${place} · ${percent(shown)}`;
}

// Why, without the state's own word, which stands beside it: "rolled back: error-rate 0.08 > 0.05" → "error-rate 0.08 > 0.05".
export function why({state, reason, question, freeze}: FleetRow): string {
  const text = question?.text ?? freeze ?? reason;
  const word = `${wordOf(kStates, state).text}: `;
  return text.startsWith(word) ? text.slice(word.length) : text;
}

// Its value is the evidence, and its limit what decides.
export const compares = ({kind}: Pick<Worst, 'kind'>): boolean => kind === 'comparison';

// "0.08 > 0.05": the value beside what it is held against.
export function worstWords(worst: Pick<Worst, 'kind' | 'value' | 'rule' | 'limit'>): string {
  const {value, rule, limit} = worst;
  const text = value === null ? 'no value' : compares(worst) ? `evidence ${number(value)} of ${number(limit)}` : number(value);
  return `${text} (rule ${rule})`;
}

const ofEvent = (row: FleetRow, {data, at}: Event): FleetRow => ({
  ...row,
  state: data.state,
  verdict: data.verdict,
  weight: data.weight !== undefined ? data.weight : row.weight,
  updated_at: at,
  ended_at: kFinal.has(data.state) ? (row.ended_at ?? at) : row.ended_at,
});

// What an event says of a row that is shown. A row that ended moves below; its reason, and rows that are new, come with the next answer.
export function withEvent(fleet: Fleet, event: Event): Fleet {
  if (event.seq <= fleet.seq) return fleet; // it is in there already
  const next: Fleet = {...fleet, seq: event.seq};
  const index = fleet.active.items.findIndex(({id}) => id === event.rollout);
  const row = fleet.active.items[index];
  if (!row) return next;
  const changed = ofEvent(row, event);
  const counts = {...fleet.counts};
  const step = (state: State, by: number) => {
    if (!kFinal.has(state)) counts[state] = Math.max(0, (counts[state] ?? 0) + by);
  };
  step(row.state, -1);
  step(changed.state, 1);
  const items = [...fleet.active.items];
  if (kFinal.has(changed.state)) {
    items.splice(index, 1);
    next.ended = {...fleet.ended, items: [changed, ...fleet.ended.items.filter(({id}) => id !== changed.id)]};
  } else {
    items[index] = changed;
  }
  next.counts = counts;
  next.active = {...fleet.active, items};
  return next;
}

// The next slot of any of the rows: when there is something new to read.
export function nextSlot(rows: FleetRow[]): string | null {
  let least: string | null = null;
  for (const {next_slot} of rows) if (next_slot !== null && (least === null || next_slot < least)) least = next_slot;
  return least;
}
