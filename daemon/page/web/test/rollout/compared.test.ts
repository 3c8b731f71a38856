import assert from 'node:assert/strict';
import test from 'node:test';
import type {Compared} from '../../src/api';
import {armWords, assumptions, comparedSentence, earlyWords, promiseTag, promiseWords, ratioWords, togetherWords} from '../../src/rollout/compared';
import {meters} from '../../src/rollout/meters';
import {captionOf, ruleWords, sceneOf} from '../../src/rollout/scene';
import {compared, comparing, condition, kBegan, report} from './fixture';

// ---- In words ----

const kMeasured = '12 bad of 2,310 (0.52 %), stable 180 of 43,900 (0.41 %): 1.27 times';

// [what is so, how the sentence ends]
const kSentences: [Partial<Compared>, string][] = [
  [{}, 'evidence 0.4123 of 100: too little to call it worse.'],
  [{suspicious: true, evidence: 12}, 'evidence 12 of 100: suspicious, so the weight is kept.'],
  [{rejects: true, evidence: 240}, 'evidence 240 of 100: it is worse than stable.'],
  [{rejects: true, evidence: 150, needed: 200}, 'evidence 150 of 200: all comparisons together have enough.'],
  [{held_back: true, evidence: 240}, 'evidence 240 of 100: but parts of stable differ as much from each other, so nothing follows.'],
  [{rejects: true, evidence: 1e299}, 'evidence 1e+299 of 100: it is worse than stable.'],
];
for (const [about, end] of kSentences) {
  test(`the first sentence has what was measured, and the evidence: ${end}`, () => assert.equal(comparedSentence(compared(about), true), `${kMeasured}; ${end}`));
}

test('what only observes keeps no weight', () => assert.equal(comparedSentence(compared({suspicious: true, evidence: 12}), false), `${kMeasured}; evidence 12 of 100: suspicious.`));

test('before the first slot nothing was compared', () => assert.equal(comparedSentence(compared({slots: 0, measured: '0 bad of 0, stable 0 of 0'}), true), 'Nothing was compared yet.'));

test('whether it is inside of the promise', () => {
  assert.equal(promiseWords(compared()), 'inside the promise: ever rolled back by mistake with at most 1 %');
  assert.equal(promiseWords(compared({in_promise: false, alpha: 0.05})), 'outside the promise: on its own, wrong with at most 5 %');
  assert.equal(promiseWords(compared({in_promise: false, kind: 'mann-whitney'})), 'outside the promise: on its own, wrong with at most 1 % in its one look a step');
});

test('a threshold beside a comparison is a guard; where nothing is promised, nothing is outside', () => {
  const guard = condition();
  const promised = report('analyzing', {}, {conditions: [comparing(), guard]});
  assert.equal(promiseTag(comparing(), promised), 'inside the promise');
  assert.equal(promiseTag(guard, promised), 'a guard: outside the promise');
  assert.equal(promiseTag(condition({gating: false}), promised), null);
  assert.equal(promiseTag(guard, report('analyzing', {}, {conditions: [guard]})), null);
  const alone = comparing({on_fail: 'pause'}, {in_promise: false});
  assert.equal(promiseTag(alone, report('analyzing', {}, {conditions: [alone]})), 'outside the promise');
  assert.equal(promiseTag(guard, report('analyzing', {}, {conditions: [alone, guard]})), null);
});

test('the ratio with its interval, as far as there is one', () => {
  const ratio = (value: number | null, low: number | null, high: number | null) => ratioWords({ratio: {value, low, high, level: 0.95}});
  assert.equal(ratio(1.2669, 0.71, 2.1), '1.267 times stable, 0.71 to 2.1 with 95 %');
  assert.equal(ratio(1.2669, 0.71, null), '1.267 times stable, at least 0.71 with 95 %');
  assert.equal(ratio(1.2669, null, null), '1.267 times stable');
  assert.equal(ratio(null, 0, 3), null);
  assert.equal(ratioWords({ratio: null}), null);
});

test('what only some comparisons have', () => {
  assert.equal(togetherWords(compared()), null);
  assert.equal(togetherWords(compared({needed: 200, together: 12})), 'evidence 12 of 100');
  assert.equal(earlyWords(compared()), null);
  assert.equal(earlyWords(compared({early_promote: true})), 'not shown yet not to be > 1.5 × stable + 0.5 %');
  assert.equal(earlyWords(compared({early_promote: true, established: true})), 'shown not to be > 1.5 × stable + 0.5 %');
  assert.deepEqual(assumptions(compared()).length, 2);
  assert.deepEqual(assumptions(compared({dispersion: null})), ['both versions serve the same mix of requests']);
  assert.deepEqual(comparing().arms?.map(armWords), ['candidate', 'candidate, bad events', 'stable', 'stable, bad events']);
});

// ---- The chart, and the counts ----

const time = {from: kBegan / 1000, to: kBegan / 1000 + 90};

test('the evidence is drawn by its powers of ten, below what decides', () => {
  const scene = sceneOf(comparing(), time, []);
  assert.ok(scene.isLog);
  assert.deepEqual(scene.drawn.map(({value}) => value), [null, Math.log10(0.4), -3]); // nothing is drawn as a thousandth
  assert.deepEqual(scene.points.map(({value}) => value), [null, 0.4, 0]); // what is said is what was measured
  assert.deepEqual(scene.limits.map(({text, above, fails}) => [text, above, fails]), [['decides at 100', true, true]]);
  const [failing] = scene.failing;
  assert.ok(Math.abs((failing?.from ?? 0) - 2) < 1e-9 && failing?.to === scene.scale.to);
  assert.ok(scene.scale.from < -3 && scene.scale.to > 2);
  assert.equal(scene.window, null);
});

test('the largest evidence there can be is within the chart', () => {
  const value = [0.4, 1e299];
  const points = {...comparing().points, at: comparing().points.at.slice(1), value, low: value, high: value};
  const {scale} = sceneOf(comparing({points}), time, []);
  assert.ok(scale.to > 299 && scale.to < 400);
});

test('values are drawn as they are, with their window; what is counted has none', () => {
  const scene = sceneOf(condition(), time, []);
  assert.equal(scene.drawn, scene.points);
  assert.deepEqual(scene.limits.map(({text, value, fails}) => [text, value, fails]), [['fails > 0.05', 0.05, true]]);
  assert.equal((scene.window?.to ?? 0) - (scene.window?.from ?? 0), 60);
  assert.equal(sceneOf(condition({kind: 'count'}), time, []).window, null);
});

test('what is under the chart, and what fails it', () => {
  assert.match(captionOf(condition()), /^Every 30s, over 1m; the latest 1m/);
  assert.match(captionOf(condition({kind: 'count'})), /^Counted since the step began, every 30s/);
  assert.match(captionOf(comparing()), /^The evidence, every 30s, on a logarithmic axis/);
  assert.equal(ruleWords(comparing()), 'fails if proven to be > 1.25 × stable + 0.05 %');
  assert.equal(ruleWords(condition({pass_if: {op: '<', value: 0.01}})), 'fails if > 0.05, passes if < 0.01');
  assert.equal(ruleWords(condition({series: 'any'})), 'fails if a series comes back');
});

test('evidence is counted towards what decides, events towards what a pass takes', () => {
  const told = (about: Partial<Compared> = {}, more = {}) => meters(comparing(more, about), report('analyzing'), kBegan);
  const [proof, , events] = told({evidence: 10});
  assert.equal(proof?.text, 'evidence 10 of 100; at 100 it is rolled back');
  assert.ok(Math.abs((proof?.value ?? 0) / (proof?.most ?? 1) - 0.5) < 1e-9); // halfway, as each event multiplies
  assert.equal(events?.text, '2310 events of the candidate; 100 needed to pass');
  assert.equal(told({evidence: 0.01})[0]?.value, 0);
  assert.equal(told({evidence: 1e299})[0]?.value, told()[0]?.most);
  assert.equal(told({}, {on_fail: 'pause'})[0]?.text, 'evidence 0.4123 of 100; at 100 it is paused');
  const mean = {events: null, bad: null, rate: null, mean: 3};
  assert.equal(told({kind: 'gauge', candidate: mean}, {evidence: 4, min_evidence: 10})[2]?.text, '4 slots; 10 needed to pass');
  assert.equal(meters(comparing(), report('rolled_back'), kBegan)[0]?.text, 'evidence 0.4123 of 100');
});
