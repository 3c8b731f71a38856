import assert from 'node:assert/strict';
import test from 'node:test';
import type {ReportStep, State} from '../../src/api';
import {marksOf, track} from '../../src/rollout/track';
import {at, event, kBegan, report} from './fixture';

const told = (state: State, about = {}, more = {}): string =>
  track(report(state, about, more), kBegan + 30_000).map((step) => `${step.label} ${step.mark}`).join(', ');

// [state, what else is so, the track]
const kTracks: [State, object, string][] = [
  ['waiting', {step: null, weight: null}, '5 % ahead, 25 % ahead, 100 % ahead, soak ahead'],
  ['analyzing', {}, '5 % here, 25 % ahead, 100 % ahead, soak ahead'],
  ['analyzing', {step: {index: 1, weight: 25, since: at(130), count: 2}}, '5 % done, 25 % here, 100 % ahead, soak ahead'],
  ['paused', {}, '5 % here, 25 % ahead, 100 % ahead, soak ahead'],
  ['promoting', {step: {index: 1, weight: 25, since: at(130), count: 2}}, '5 % done, 25 % done, 100 % here, soak ahead'],
  ['soaking', {step: {index: 1, weight: 100, since: at(500), count: 2}, weight: 100}, '5 % done, 25 % done, 100 % done, soak here'],
  ['promoted', {step: {index: 1, weight: 100, since: at(500), count: 2}, weight: 100}, '5 % done, 25 % done, 100 % done, soak done'],
  ['rolling_back', {}, '5 % stopped, 25 % never, 100 % never, soak never'],
  ['rolled_back', {step: {index: 1, weight: 25, since: at(130), count: 2}, weight: 0}, '5 % done, 25 % stopped, 100 % never, soak never'],
  ['rolled_back', {step: {index: 1, weight: 100, since: at(500), count: 2}, weight: 0}, '5 % done, 25 % done, 100 % done, soak stopped'],
  ['rolled_back', {step: null, weight: 0}, '5 % never, 25 % never, 100 % never, soak never'],
  ['rollback_failed', {}, '5 % stopped, 25 % never, 100 % never, soak never'],
  ['cancelled', {}, '5 % stopped, 25 % never, 100 % never, soak never'],
  ['superseded', {}, '5 % stopped, 25 % never, 100 % never, soak never'],
];

for (const [state, about, expected] of kTracks) {
  test(`the track of a rollout that is ${state}: ${expected}`, () => assert.equal(told(state, about), expected));
}

test('without a soak there is none on the track', () => {
  const clock = {hold_until: at(120), soak: '0s', soak_until: null, deadline_at: null, recovery_until: null};
  assert.equal(told('promoted', {}, {clock}), '5 % done, 25 % done, 100 % done');
});

test('with a duration there is one step without a weight, and the promotion', () => {
  const steps: ReportStep[] = [
    {index: 0, weight: null, hold: '10m', approve: false, state: 'current', began_at: at(0), ended_at: null},
    {index: 1, weight: 100, hold: '0s', approve: true, state: 'ahead', began_at: null, ended_at: null},
  ];
  const clock = {hold_until: at(600), soak: '0s', soak_until: null, deadline_at: null, recovery_until: null};
  assert.equal(told('analyzing', {step: {index: 0, weight: null, since: at(0), count: 1}}, {steps, clock}), 'watched here, 100 % ahead');
  assert.equal(track(report('analyzing', {}, {steps, clock}), kBegan)[1]?.note, 'asks first');
});

test('the hold that runs is a share and a rest', () => {
  const [first, second] = track(report('analyzing'), kBegan + 30_000);
  assert.equal(first?.share, 0.25);
  assert.equal(first?.leftMs, 90_000);
  assert.equal(first?.note, 'holds 2m');
  assert.equal(second?.share, null);
  assert.equal(second?.note, 'holds 5m, then asks');
});

test('a hold that is over has nothing left, and is full', () => {
  const [first] = track(report('analyzing'), kBegan + 500_000);
  assert.equal(first?.share, 1);
  assert.equal(first?.leftMs, 0);
});

test('after a rollback nothing is left to wait for', () => {
  assert.equal(track(report('rolled_back'), kBegan)[0]?.leftMs, null);
});

test('the soak that runs is a share and a rest', () => {
  const clock = {hold_until: null, soak: '15m', soak_until: at(1500), deadline_at: null, recovery_until: null};
  const soak = track(report('soaking', {weight: 100, step: {index: 1, weight: 100, since: at(600), count: 2}}, {clock}), kBegan + 1_050_000).at(-1);
  assert.equal(soak?.share, 0.5);
  assert.equal(soak?.leftMs, 450_000);
});

// [what is so, the words of the step it is at]
const kWords: [State, object, string][] = [
  ['analyzing', {}, 'it is here'],
  ['paused', {}, 'paused here'],
  ['analyzing', {order: {id: 'o', kind: 'advance', weight: 25, accepted: false, since: at(9)}}, '25 % is ordered'],
  ['analyzing', {order: {id: 'o', kind: 'advance', weight: 25, accepted: true, since: at(9)}}, '25 % is ordered and accepted'],
  ['rolled_back', {}, 'went back from here'],
  ['cancelled', {}, 'ended here: cancelled'],
];

for (const [state, about, words] of kWords) {
  test(`where a rollout that is ${state} is, in words: ${words}`, () => assert.equal(track(report(state, about), kBegan)[0]?.words, words));
}

test('steps and turns are marked on the charts, in the order of time', () => {
  const items = [event(90, 'decided', {kind: 'advance'}), event(80, 'decided', {kind: 'rollback'}), event(70, 'paused'), event(85, 'verdict')];
  const marks = marksOf(report('rolling_back', {}, {events: {items, earlier: 0}}));
  assert.deepEqual(marks.map(({label}) => label), ['5 %', 'paused', 'rollback']);
  assert.equal(marks[1]?.at, kBegan + 70_000);
});
