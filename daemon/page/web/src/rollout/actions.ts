// What a person can decide here: which buttons there are now, what each says it will do, and what is sent.
import type {JsonObject, Rollout} from '../api';
import {percent} from '../format';
import type {Report, Verb} from './report';

export interface Choice {
  action: Verb;
  label: string; // of the button, and of the one that sends it
  effect: string; // what it does, said before it is done
  grave: boolean;
}

const kOrder: Verb[] = ['resume', 'advance', 'promote', 'pause', 'extend', 'rollback', 'cancel'];

const kLabels: Record<Verb, string> = {
  resume: 'Resume',
  advance: 'Advance',
  promote: 'Promote',
  pause: 'Pause',
  extend: 'Extend',
  rollback: 'Roll back',
  cancel: 'Cancel',
};

// What follows from a yes to the open question: the server tried it.
function resumeEffect({rollout, resume}: Report): string {
  const means: Record<NonNullable<Report['resume']>, string> = {
    promotes: `It orders 100 % for ${rollout.candidate}.`,
    goes_on: 'It goes on.',
    waits_on: 'It waits on to begin.',
    begins_afresh: 'The step begins afresh: its clock, counts and patience.',
  };
  const asked = rollout.question === null ? '' : `Answers the open question (${rollout.question.text}) with yes. `;
  return asked + (resume === null ? 'It goes on.' : means[resume]);
}

function effectOf(action: Verb, report: Report): string {
  const {candidate, stable, weight} = report.rollout;
  switch (action) {
    case 'resume':
      return resumeEffect(report);
    case 'advance':
      return 'Goes on to the next step at once. What failed so far is forgotten.';
    case 'promote':
      return `Orders 100 % for ${candidate} at once. From then on the conditions only observe.`;
    case 'pause':
      return 'Stops it where it is. Watching goes on, and so does a rollback if a condition fails.';
    case 'extend':
      return 'Adds time to the hold of this step, to the soak, or to the wait to begin.';
    case 'rollback':
      return `Orders the way back to ${stable ?? '0 % for a first release'}. This is final: nothing undoes it.`;
    case 'cancel':
      return `Takes back orders that are not delivered, stops watching, and leaves the traffic as it is${
        weight === null ? '' : `, with ${percent(weight)} on ${candidate}`
      }.`;
  }
}

// `mayDecide`: the token has the scope, and for this namespace.
export function choices(report: Report, mayDecide: boolean): Choice[] {
  if (!mayDecide) return [];
  const possible = kOrder.filter((action) => report.actions[action] === null);
  return possible.map((action) => ({
    action,
    label: kLabels[action],
    effect: effectOf(action, report),
    grave: action === 'rollback' || action === 'cancel' || action === 'promote' || (action === 'resume' && report.resume === 'promotes'),
  }));
}

// Resume answers the question that was read, not one that was opened meanwhile. `extra` is extend's span.
export function bodyOf(action: Verb, given: {reason: string; by: string; extra: string}, rollout: Rollout): JsonObject {
  const body: JsonObject = {reason: given.reason};
  if (given.by !== '') body['by'] = given.by;
  if (action === 'extend') body['for'] = given.extra;
  if (action === 'resume' && rollout.question !== null) body['question'] = rollout.question.id;
  return body;
}

// Why it was not done, for who pressed the button: the server's words, and what they mean here.
export function refusal(label: string, status: number, detail: string): string {
  switch (status) {
    case 409:
      return `${label} is not possible now: ${detail}`;
    case 412:
      return `The rollout has changed since you looked: ${detail}`;
    case 0:
    case 504:
      return `${detail} It may have been done or not: look at the state before you try again.`;
    default:
      return detail;
  }
}
