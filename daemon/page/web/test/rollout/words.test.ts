import assert from 'node:assert/strict';
import test from 'node:test';
import type {Report, ReportCondition, State} from '../../src/api';
import {bodyOf, choices, refusal} from '../../src/rollout/actions';
import {meters} from '../../src/rollout/meters';
import {stripSentence, tally} from '../../src/rollout/strip';
import {at, condition, kBegan, report, rollout, slot} from './fixture';

// ---- The strip ----

test('a strip in words: what it adds up to, and how it ends', () => {
  assert.equal(stripSentence([]), 'no slot yet');
  assert.equal(stripSentence([slot(1, 'pass')]), '1 slot: 1 pass');
  assert.equal(stripSentence([slot(1, 'pass'), slot(2, 'pass')]), '2 slots: 2 pass');
  assert.equal(stripSentence([slot(1, 'pass'), slot(2, 'fail'), slot(3, 'fail')]), '3 slots: 1 pass, 2 fail; the latest 2 fail');
  assert.equal(stripSentence([slot(1, 'fail'), slot(2, 'no_data')]), '2 slots: 1 fail, 1 no data; the latest no data');
});

test('missed slots in a row are counted each', () => {
  const slots = [slot(1, 'pass'), slot(2, 'missed', null, {slots: 12, last_slot: at(400)}), slot(3, 'error')];
  assert.equal(tally(slots), '1 pass, 1 error, 12 missed');
  assert.equal(stripSentence(slots.slice(0, 2)), '13 slots: 1 pass, 12 missed; the latest 12 missed');
});

// ---- Counts against limits ----

const told = (more: Partial<ReportCondition>, state: State = 'analyzing', now = kBegan + 90_000): string[] =>
  meters(condition(more), report(state), now).map(({text}) => text);

test('failing slots against their limit, and what follows', () => {
  assert.equal(told({failing: 2, answers: 3})[0], '2 of the last 3 answers failed; at 3 it is rolled back');
  assert.equal(told({failing: 1, answers: 1, on_fail: 'pause'})[0], '1 of 1 answer failed; at 3 it is paused');
  assert.equal(told({failing: 2, answers: 40, within: 'all', on_fail: 'observe'})[0], '2 of 40 answers failed; at 3 it is recorded');
  assert.equal(told({failing: 0, answers: 0})[0], 'no answer counts yet; at 3 it is rolled back');
  assert.equal(told({failing: 1, answers: 3, kind: 'readiness', gating: false})[0], '1 of the last 3 answers failed; the limit is 3');
  assert.equal(told({failing: 3, answers: 3}, 'rolled_back')[0], '3 of the last 3 answers failed; the limit is 3');
});

test('passes in the step, until there are enough', () => {
  const [, passes] = meters(condition({passes_in_step: 5, min_passes: 2}), report('analyzing'), kBegan);
  assert.equal(passes?.text, '5 passed in this step; 2 needed');
  assert.deepEqual([passes?.value, passes?.most], [2, 2]);
});

test('patience runs while there is no answer, and is told of nobody who gates nothing', () => {
  assert.equal(told({silent_since: at(30)})[2], 'no answer for 1m; after 5m a person is asked');
  assert.equal(told({silent_since: at(-300)})[2], 'no answer for 6m 30s; longer than the patience of 5m');
  assert.equal(told({silent_since: at(30), gating: false}).length, 1);
  assert.equal(told({silent_since: at(30)}, 'promoted').length, 1);
  assert.equal(told({silent_since: null}).length, 2);
});

test('evidence against what a pass takes', () => {
  const evidence = {evidence_query: 'sum(x)', min_evidence: 100};
  assert.equal(told({...evidence, evidence: 12})[2], '12 events in the window; 100 needed to pass');
  assert.equal(told({...evidence, evidence: null}).length, 2);
});

// ---- Decisions ----

const labels = (state: State, actions = {}, mayDecide = true): string[] =>
  choices(report(state, {}, {actions: {...report(state).actions, ...actions}}), mayDecide).map(({label}) => label);

test('a button for what is possible now, and none without the scope', () => {
  assert.deepEqual(labels('analyzing'), ['Advance', 'Promote', 'Pause', 'Extend', 'Roll back', 'Cancel']);
  assert.deepEqual(labels('paused', {resume: null, pause: 'it is paused'}), ['Resume', 'Advance', 'Promote', 'Extend', 'Roll back', 'Cancel']);
  const ended = {advance: 'ended', promote: 'ended', pause: 'ended', extend: 'ended', rollback: 'ended', cancel: 'ended'};
  assert.deepEqual(labels('promoted', ended), []);
  assert.deepEqual(labels('analyzing', {}, false), []);
});

test('each says what it will do', () => {
  const choice = (action: string, about = {}, resume: Report['resume'] = null) =>
    choices(report('paused', about, {actions: {...report('paused').actions, resume: null}, resume}), true).find((one) => one.action === action);
  const effect = (action: string, about = {}, resume: Report['resume'] = null): string => choice(action, about, resume)?.effect ?? '';
  const question = {id: 'q1', kind: 'approve_step', text: 'all conditions passed at 5 %', since: at(1), lifts_itself: false};
  assert.match(effect('rollback'), /the way back to 1\.23\. This is final/);
  assert.match(effect('rollback', {stable: null}), /the way back to 0 % for a first release/);
  assert.match(effect('promote'), /100 % for 1\.24 at once/);
  assert.match(effect('cancel'), /with 5 % on 1\.24/);
  assert.match(effect('resume', {question}, 'goes_on'), /\(all conditions passed at 5 %\) with yes\. It goes on\./);
  assert.match(effect('resume', {question}, 'begins_afresh'), /begins afresh/);
  assert.match(effect('resume', {question}, 'waits_on'), /waits on/);
  assert.match(effect('resume', {question}, 'promotes'), /100 % for 1\.24/);
  assert.deepEqual([choice('resume', {question}, 'promotes')?.grave, choice('resume', {question}, 'goes_on')?.grave], [true, false]);
});

test('what is sent: the reason, who, for how long, and which question it answers', () => {
  const given = {reason: 'the load test', by: 'ana', extra: '10m'};
  const question = {id: 'q2', kind: 'deadline', text: 'late', since: at(1), lifts_itself: false};
  assert.deepEqual(bodyOf('pause', {...given, by: ''}, rollout('analyzing')), {reason: 'the load test'});
  assert.deepEqual(bodyOf('extend', given, rollout('analyzing')), {reason: 'the load test', by: 'ana', for: '10m'});
  assert.deepEqual(bodyOf('resume', given, rollout('paused', {question})), {reason: 'the load test', by: 'ana', question: 'q2'});
  assert.deepEqual(bodyOf('rollback', given, rollout('paused', {question})), {reason: 'the load test', by: 'ana'});
});

test('a refusal in words', () => {
  assert.equal(refusal('Pause', 409, 'it is soaking: nothing to pause'), 'Pause is not possible now: it is soaking: nothing to pause');
  assert.match(refusal('Pause', 412, 'revision 7'), /changed since you looked: revision 7/);
  assert.match(refusal('Pause', 504, 'No answer.'), /may have been done or not/);
  assert.match(refusal('Pause', 0, 'No answer.'), /may have been done or not/);
  assert.equal(refusal('Pause', 403, 'needs the scope decide'), 'needs the scope decide');
});
