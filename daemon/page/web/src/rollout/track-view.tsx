// The steps, where it is, and what is left of the hold.
import type {JSX} from 'preact';
import {useNow} from '../clock';
import {duration, localTime, utcTime} from '../format';
import {Mark} from '../ui/mark';
import {Scroll} from '../ui/table';
import type {Shape, Tone} from '../words';
import type {Report} from './report';
import {type Mark as StepMark, track, type TrackStep} from './track';

const kLooks: Record<StepMark, {shape: Shape; tone: Tone}> = {
  done: {shape: 'check', tone: 'good'},
  here: {shape: 'dot', tone: 'info'},
  ahead: {shape: 'empty', tone: 'quiet'},
  stopped: {shape: 'back', tone: 'bad'},
  never: {shape: 'slash', tone: 'quiet'},
};

function lookOf(step: TrackStep, state: string): {shape: Shape; tone: Tone} {
  if (step.mark === 'here' && state === 'paused') return {shape: 'pause', tone: 'warn'};
  if (step.mark === 'stopped' && (state === 'cancelled' || state === 'superseded')) return {shape: 'slash', tone: 'quiet'};
  return kLooks[step.mark];
}

function Hold({step}: {step: TrackStep}): JSX.Element | null {
  if (step.share === null) return null;
  const left = step.leftMs ? `${duration(Math.ceil(step.leftMs / 1000) * 1000)} left` : 'hold is over';
  return (
    <>
      <progress value={step.share} max={1} aria-label={`Hold at ${step.label}`} />
      <span class="track-left">{left}</span>
    </>
  );
}

function Stage({step, state}: {step: TrackStep; state: string}): JSX.Element {
  const look = lookOf(step, state);
  return (
    <li class={`track-step ${step.mark}`} {...(step.mark === 'here' ? {'aria-current': 'step' as const} : {})}>
      <span class="track-label"><Mark shape={look.shape} tone={look.tone} /> {step.label}</span>
      <span class="track-note">{step.note}</span>
      <span class="track-words">
        {step.words}
        {step.at !== null && <> · <time dateTime={new Date(step.at).toISOString()} title={utcTime(step.at)}>{localTime(step.at, Date.now())}</time></>}
      </span>
      <Hold step={step} />
    </li>
  );
}

export function Track({report}: {report: Report}): JSX.Element {
  const stages = track(report, useNow(1000));
  return (
    <Scroll name="Steps">
      <ol class="track">{stages.map((step) => <Stage key={step.label} step={step} state={report.rollout.state} />)}</ol>
    </Scroll>
  );
}
