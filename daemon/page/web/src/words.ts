// What the API's words are called on the page, and with which shape and colour they are drawn. One place, so that a
// state is called the same everywhere.
import type {DeliveryState, Outcome, State, Verdict} from './api';

// What a mark looks like; never told by its colour alone.
export type Shape =
  | 'check' | 'cross' | 'bang' | 'question' | 'empty' | 'dash' | 'half' | 'dot' | 'pause' | 'up' | 'back' | 'wait' | 'slash' | 'skip';
export type Tone = 'good' | 'bad' | 'warn' | 'info' | 'quiet';
export interface Word {
  text: string;
  shape: Shape;
  tone: Tone;
  title?: string;
}

export const kStates: Record<State, Word> = {
  waiting: {text: 'waiting', shape: 'wait', tone: 'quiet'},
  analyzing: {text: 'analyzing', shape: 'dot', tone: 'info'},
  paused: {text: 'paused', shape: 'pause', tone: 'warn', title: 'waits for a person; still watched'},
  promoting: {text: 'promoting', shape: 'up', tone: 'info'},
  soaking: {text: 'soaking', shape: 'half', tone: 'info'},
  rolling_back: {text: 'rolling back', shape: 'back', tone: 'bad'},
  promoted: {text: 'promoted', shape: 'check', tone: 'good'},
  rolled_back: {text: 'rolled back', shape: 'back', tone: 'bad'},
  rollback_failed: {text: 'rollback failed', shape: 'bang', tone: 'bad', title: 'the rollback was refused or expired: somebody must act'},
  cancelled: {text: 'cancelled', shape: 'slash', tone: 'quiet'},
  superseded: {text: 'superseded', shape: 'skip', tone: 'quiet'},
};

export const kFinal: ReadonlySet<State> = new Set<State>(['promoted', 'rolled_back', 'rollback_failed', 'cancelled', 'superseded']);

export const kVerdicts: Record<Verdict, Word> = {
  pending: {text: 'pending', shape: 'wait', tone: 'quiet'},
  passing: {text: 'passing', shape: 'check', tone: 'good'},
  failing: {text: 'failing', shape: 'cross', tone: 'warn'},
  unknown: {text: 'unknown', shape: 'question', tone: 'warn', title: 'the latest slot gave no answer'},
  failed: {text: 'failed', shape: 'cross', tone: 'bad', title: 'as many failing slots as the limit allows'},
  passed: {text: 'passed', shape: 'check', tone: 'good'},
};

export const kOutcomes: Record<Outcome, Word> = {
  pass: {text: 'pass', shape: 'check', tone: 'good'},
  fail: {text: 'fail', shape: 'cross', tone: 'bad'},
  inconclusive: {text: 'inconclusive', shape: 'half', tone: 'info'},
  no_data: {text: 'no data', shape: 'empty', tone: 'warn'},
  error: {text: 'error', shape: 'bang', tone: 'warn'},
  missed: {text: 'missed', shape: 'dash', tone: 'quiet'},
};

export const kDeliveries: Record<DeliveryState, Word> = {
  pending: {text: 'pending', shape: 'wait', tone: 'info'},
  accepted: {text: 'accepted', shape: 'half', tone: 'info', title: 'taken with 202, not yet acknowledged'},
  done: {text: 'done', shape: 'check', tone: 'good'},
  refused: {text: 'refused', shape: 'slash', tone: 'bad'},
  dead: {text: 'dead', shape: 'bang', tone: 'bad', title: 'never acknowledged: given up'},
  withdrawn: {text: 'withdrawn', shape: 'skip', tone: 'quiet'},
};

// From worst to best: what a rollout's worst condition is.
export const kVerdictRank: Verdict[] = ['failed', 'failing', 'unknown', 'pending', 'passing', 'passed'];

// A word the page does not know (a newer daemon's) is shown as it is.
export const wordOf = <K extends string>(words: Record<K, Word>, key: string): Word =>
  (words as Record<string, Word | undefined>)[key] ?? {text: key.replaceAll('_', ' '), shape: 'dot', tone: 'quiet'};
