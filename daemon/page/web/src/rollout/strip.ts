// The strip of a condition's slots in words: what stands beside the shapes for those who do not see them.
import type {Outcome} from '../api';
import {count} from '../format';
import {kOutcomes, wordOf} from '../words';
import type {Slot} from './report';

const slotsOf = (slot: Slot): number => slot.slots ?? 1;

// "57 pass, 3 fail, 12 missed"
export function tally(slots: readonly Slot[]): string {
  const sums = new Map<string, number>();
  for (const slot of slots) sums.set(slot.outcome, (sums.get(slot.outcome) ?? 0) + slotsOf(slot));
  const order = Object.keys(kOutcomes) as Outcome[];
  return order.flatMap((outcome) => (sums.has(outcome) ? [`${sums.get(outcome) ?? 0} ${kOutcomes[outcome].text}`] : [])).join(', ');
}

// What it adds up to, and how it ends.
export function stripSentence(slots: readonly Slot[]): string {
  const last = slots.at(-1);
  if (last === undefined) return 'no slot yet';
  const all = slots.reduce((sum, slot) => sum + slotsOf(slot), 0);
  let run = 0;
  for (let i = slots.length - 1; slots[i]?.outcome === last.outcome; --i) run += slotsOf(slots[i] as Slot);
  const word = wordOf(kOutcomes, last.outcome).text;
  const end = run === all ? '' : `; the latest ${run === 1 ? '' : `${run} `}${word}`;
  return `${count(all, 'slot')}: ${tally(slots)}${end}`;
}
