// The latest slots of a condition: a shape each, and the same as a table.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';
import {useNow} from '../clock';
import {localTime, millis, number} from '../format';
import {DataTable} from '../ui/table';
import {Mark, OutcomeWord} from '../ui/mark';
import {Ago, Time} from '../ui/time';
import {kOutcomes, wordOf} from '../words';
import type {Slot} from './report';
import {stripSentence} from './strip';

function titleOf(slot: Slot): string {
  const word = wordOf(kOutcomes, slot.outcome).text;
  const many = slot.slots && slot.slots > 1 ? `${slot.slots} × ` : '';
  return `${localTime(millis(slot.slot), Date.now())} ${many}${word}: ${slot.detail}`;
}

export function Strip({name, slots}: {name: string; slots: readonly Slot[]}): JSX.Element {
  if (slots.length === 0) return <p class="quiet">no slot yet</p>;
  return (
    <div class="strip" role="img" aria-label={`The latest slots of ${name}, oldest first. ${stripSentence(slots)}`}>
      {slots.map((slot, index) => {
        const word = wordOf(kOutcomes, slot.outcome);
        const begins = index > 0 && slots[index - 1]?.step !== slot.step;
        return (
          <span key={slot.number} class={`slot ${slot.outcome}${begins ? ' begins' : ''}`} title={titleOf(slot)}>
            <Mark shape={word.shape} tone={word.tone} />
            {slot.slots !== undefined && slot.slots > 1 && <span class="slot-run">×{slot.slots}</span>}
          </span>
        );
      })}
    </div>
  );
}

// When it is asked next; "due" while the answer is awaited.
export function NextSlot({at}: {at: string | null}): JSX.Element | null {
  const now = useNow(1000);
  if (at === null) return null;
  return <span class="quiet">next slot {millis(at) > now ? <Ago at={at} /> : 'due'}</span>;
}

// What each shape means; once for all strips.
export function Legend(): JSX.Element {
  return (
    <p class="legend">
      {Object.values(kOutcomes).map((word) => (
        <span key={word.text}><Mark shape={word.shape} tone={word.tone} /> {word.text}</span>
      ))}
    </p>
  );
}

const kRows = 30;

export function SlotTable({name, slots, value}: {name: string; slots: readonly Slot[]; value: string}): JSX.Element | null {
  const [open, setOpen] = useState(false);
  if (slots.length === 0) return null;
  const rows = [...slots].reverse().slice(0, kRows);
  return (
    <details class="more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The latest slots as a table</summary>
      {open && (
        <DataTable
          name={`The latest slots of ${name}`}
          rows={rows}
          keyOf={(slot) => String(slot.number)}
          columns={[
            {key: 'slot', head: 'Slot', cell: (slot) => <Time at={slot.slot} />},
            {key: 'outcome', head: 'Outcome', cell: (slot) => <OutcomeWord outcome={slot.outcome} />},
            {key: 'value', head: value, num: true, cell: (slot) => number(slot.value)},
            {key: 'detail', head: 'In words', cell: (slot) => (slot.slots ? `${slot.slots} slots ${slot.detail}` : slot.detail)},
            {key: 'step', head: 'Step', num: true, cell: (slot) => (slot.step === null ? '–' : slot.step + 1)},
          ]}
        />
      )}
    </details>
  );
}
