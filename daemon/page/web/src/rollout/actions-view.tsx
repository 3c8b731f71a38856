// What a person can decide now: a button each, and a dialog that says what it does and asks why.
import type {ComponentChildren, JSX} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';
import {ApiProblem, post} from '../client';
import {may, useSession} from '../session';
import type {Rollout} from '../api';
import {type Given, ReasonDialog} from '../ui/dialog';
import {bodyOf, type Choice, choices, refusal} from './actions';
import type {Report} from './report';

const kSpan = '(\\d+(ms|s|m|h|d))+';

// What was refused, in words that fit the button.
function inWords(choice: Choice, error: unknown): unknown {
  if (!(error instanceof ApiProblem)) return error;
  return new ApiProblem(error.status, 'Not done', refusal(choice.label, error.status, error.detail), error.errors, error.retryAfter);
}

export function Actions({report, changed}: {report: Report; changed: () => void}): JSX.Element | null {
  const session = useSession();
  // With the rollout as it was when the button was pressed: what is sent answers what the dialog says, whatever happens meanwhile.
  const [open, setOpen] = useState<{choice: Choice; rollout: Rollout} | null>(null);
  const {rollout} = report;
  const possible = choices(report, may(session, 'decide', rollout.namespace));
  const decided = useRef(false);
  // The button that was pressed is often gone with what it did: whoever uses the keyboard goes on from the top.
  useEffect(() => {
    if (decided.current && document.activeElement === document.body) document.getElementById('app')?.focus({preventScroll: true});
  }, [possible.length, open]);
  if (possible.length === 0 && open === null) return null;
  const decide = async ({choice, rollout: read}: {choice: Choice; rollout: Rollout}, given: Given): Promise<void> => {
    try {
      await post<Rollout>(`/api/v1/rollouts/${encodeURIComponent(read.id)}/${choice.action}`, bodyOf(choice.action, given, read));
    } catch (error) {
      throw inWords(choice, error);
    } finally {
      decided.current = true;
      changed();
    }
  };
  return (
    <div class="actions" role="group" aria-label="Decide">
      {possible.map((choice) => (
        <button key={choice.action} type="button" class={choice.grave && choice.action !== 'promote' ? 'danger' : ''} title={choice.effect} onClick={() => setOpen({choice, rollout})}>
          {choice.label}
        </button>
      ))}
      {open !== null && (
        <ReasonDialog
          title={`${open.choice.label}: ${open.rollout.service} ${open.rollout.candidate}`}
          text={open.choice.effect}
          verb={open.choice.label}
          danger={open.choice.grave}
          {...(open.choice.action === 'extend' ? {extra: {label: 'For how long', value: '10m', hint: 'such as 10m or 1h30m', pattern: kSpan}} : {})}
          onSubmit={(given) => decide(open, given)}
          onClose={() => setOpen(null)}
        />
      )}
    </div>
  );
}

// The open question, and what holds it.
export function Question({report}: {report: Report}): JSX.Element | null {
  const {question, freeze} = report.rollout;
  if (question === null && freeze === null) return null;
  return (
    <div class="question">
      {question !== null && (
        <p>
          <strong>Waits for a person:</strong> {question.text}.
          {question.lifts_itself && ' It goes on by itself when every condition passes again.'}
        </p>
      )}
      {freeze !== null && <Held>{freeze}</Held>}
    </div>
  );
}

function Held({children}: {children: ComponentChildren}): JSX.Element {
  return <p><strong>Held:</strong> {children}. It is watched all the same, and rolled back if a condition fails.</p>;
}
