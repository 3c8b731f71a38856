// A shape beside a word: what is good or bad is never said by colour alone.
import type {JSX} from 'preact';
import type {DeliveryState, Outcome, State, Verdict} from '../api';
import {kDeliveries, kOutcomes, kStates, kVerdicts, wordOf, type Shape, type Tone, type Word} from '../words';

const line = {fill: 'none', stroke: 'currentColor', 'stroke-width': '1.5', 'stroke-linecap': 'round', 'stroke-linejoin': 'round'} as const;
const hole = {...line, stroke: 'var(--surface)'} as const;
const ring = <circle cx="6" cy="6" r="4.75" {...line} />;

const kShapes: Record<Shape, () => JSX.Element> = {
  check: () => <><circle cx="6" cy="6" r="5.5" fill="currentColor" /><path d="M3.4 6.3l1.8 1.8L8.7 4.3" {...hole} /></>,
  cross: () => <><rect x="0.5" y="0.5" width="11" height="11" rx="2" fill="currentColor" /><path d="M3.7 3.7l4.6 4.6M8.3 3.7L3.7 8.3" {...hole} /></>,
  bang: () => <><path d="M6 .8L11.7 11H.3z" fill="currentColor" stroke="currentColor" stroke-width=".6" stroke-linejoin="round" /><path d="M6 4.5v3M6 9.2v.1" {...hole} /></>,
  question: () => <>{ring}<path d="M4.6 4.9a1.4 1.4 0 1 1 2 1.3c-.5.2-.6.4-.6.8M6 8.7v.05" {...line} stroke-width="1.2" /></>,
  empty: () => <circle cx="6" cy="6" r="4.75" {...line} stroke-dasharray="1.8 2.2" />,
  dash: () => <path d="M2 6h8" {...line} stroke-width="2" />,
  half: () => <>{ring}<path d="M6 1.25a4.75 4.75 0 0 1 0 9.5z" fill="currentColor" /></>,
  dot: () => <>{ring}<circle cx="6" cy="6" r="2" fill="currentColor" /></>,
  pause: () => <><rect x="1.5" y="1" width="3.2" height="10" rx=".8" fill="currentColor" /><rect x="7.3" y="1" width="3.2" height="10" rx=".8" fill="currentColor" /></>,
  up: () => <path d="M6 11V1.5M2 5.5l4-4 4 4" {...line} stroke-width="1.8" />,
  back: () => <path d="M4.5 1L1.3 4.2l3.2 3.2M1.5 4.2h5.7a3.2 3.2 0 0 1 0 6.4H4" {...line} stroke-width="1.7" />,
  wait: () => <>{ring}<path d="M6 3.3V6l1.8 1.2" {...line} stroke-width="1.2" /></>,
  slash: () => <>{ring}<path d="M2.8 9.2l6.4-6.4" {...line} /></>,
  skip: () => <path d="M1.5 2l4 4-4 4M6.5 2l4 4-4 4" {...line} stroke-width="1.7" />,
};

// Without `label` it stands beside a word and says nothing of its own.
export function Mark({shape, tone, label}: {shape: Shape; tone: Tone; label?: string}): JSX.Element {
  const said = label ? {role: 'img' as const, 'aria-label': label} : {'aria-hidden': 'true' as const};
  return (
    <svg class={`mark ${tone}`} viewBox="0 0 12 12" width="12" height="12" {...said}>
      {label && <title>{label}</title>}
      {kShapes[shape]()}
    </svg>
  );
}

export function MarkedWord({word, strong}: {word: Word; strong?: boolean}): JSX.Element {
  return (
    <span class={`word ${word.tone}${strong ? ' strong' : ''}`} title={word.title}>
      <Mark shape={word.shape} tone={word.tone} /> {word.text}
    </span>
  );
}

export const StateWord = ({state, strong}: {state: State; strong?: boolean}): JSX.Element => (
  <MarkedWord word={wordOf(kStates, state)} {...(strong ? {strong} : {})} />
);
export const VerdictWord = ({verdict}: {verdict: Verdict}): JSX.Element => <MarkedWord word={wordOf(kVerdicts, verdict)} />;
export const OutcomeWord = ({outcome}: {outcome: Outcome}): JSX.Element => <MarkedWord word={wordOf(kOutcomes, outcome)} />;
export const DeliveryWord = ({state}: {state: DeliveryState}): JSX.Element => <MarkedWord word={wordOf(kDeliveries, state)} />;

// The shape alone, named for who cannot see it.
export function OutcomeMark({outcome, label}: {outcome: Outcome; label?: string}): JSX.Element {
  const word = wordOf(kOutcomes, outcome);
  return <Mark shape={word.shape} tone={word.tone} label={label ?? word.text} />;
}
