import assert from 'node:assert/strict';
import test from 'node:test';
import type {JsonObject, Policy} from '../src/api';
import {policySentence, settings, shown, sourceOf, stepsOf} from '../src/policies/analysis';
import {askedBy, checkBody, checkHref, checkSentence, kFields, pairs} from '../src/policies/check_request';

const policy = (analysis: JsonObject): Policy => ({name: 'http', analysis, analysis_sources: {}});
const condition = (name: string, on_fail = 'rollback'): JsonObject => ({name, on_fail, query: 'up'});
const kSteps = [{weight: 5, hold: '2m'}, {weight: 25, hold: '5m'}, {weight: 100}];

test('a policy in one sentence', () => {
  const rows: [JsonObject, string][] = [
    [{steps: kSteps, condition: [condition('error-rate')]}, 'http goes to 100 % in 2 steps (5 % for 2m, 25 % for 5m); it is rolled back when error-rate fails.'],
    [
      {steps: [{weight: 5, hold: '2m'}], condition: [condition('errors'), condition('lag'), condition('slow', 'pause')]},
      'http goes to 100 % in 1 step (5 % for 2m); it is rolled back when errors or lag fails and is paused when slow fails.',
    ],
    [{duration: '4h', condition: ['a', 'b', 'c', 'd'].map((name) => condition(name))}, 'http watches for 4h, without weights; it is rolled back when one of 4 conditions fails.'],
    [{condition: [condition('seen', 'observe')]}, 'http is a part, to be registered together with a policy that has steps.'],
    [{ramp: {from: 10, by: 10, to: 100, every: '1m'}}, 'http goes to 100 % in 9 steps.'],
  ];
  for (const [analysis, text] of rows) assert.equal(policySentence(policy(analysis)), text);
});

test('a ramp is so many steps', () => {
  const steps = stepsOf({ramp: {from: 5, by: 30, to: 100, every: '2m'}}, {'/ramp/by': 'policy http a.toml:3'});
  assert.deepEqual(steps.map(({weight, hold, source}) => [weight, hold, source]), [
    ['5 %', '2m', 'policy http a.toml:3'], ['35 %', '2m', 'policy http a.toml:3'], ['65 %', '2m', 'policy http a.toml:3'], ['95 %', '2m', 'policy http a.toml:3'],
  ]);
  assert.deepEqual(stepsOf({ramp: {from: 5, by: 0, to: 100, every: '2m'}}, {}), []);
});

test('each setting has the source of its own value, or that of the table around it', () => {
  const sources = {'/patience': 'default', '/ready/at_least': 'policy http a.toml:4', '/alerts': 'policy http a.toml:9'};
  assert.deepEqual(settings({patience: '5m', ready: {at_least: 3}, alerts: {match: {service: 'x'}}, condition: []}, sources, '', ['condition']), [
    {name: 'patience', value: '5m', source: 'default'},
    {name: 'ready.at_least', value: '3', source: 'policy http a.toml:4'},
    {name: 'alerts.match.service', value: 'x', source: 'policy http a.toml:9'},
  ]);
  assert.equal(sourceOf({'/select/a~1b': 'here'}, '/select/a~1b'), 'here');
  assert.deepEqual(settings({'a/b': 1}, {'/a~1b': 'here'}), [{name: 'a/b', value: '1', source: 'here'}]);
  assert.equal(sourceOf({}, '/a/b'), '');
});

test('values as people read them', () => {
  assert.equal(shown(true), 'yes');
  assert.equal(shown([5, 25]), '5, 25');
  assert.equal(shown(null), 'none');
  assert.equal(shown({app: '{{service}}', version: '1'}), 'app = {{service}}, version = 1');
});

test('what is to be checked comes back out of its address', () => {
  const asked = askedBy(new URLSearchParams('service=checkout&candidate=1.24&labels=tier%3Dweb&colour=red'));
  const query = checkHref('http', asked).split('?')[1] ?? '';
  assert.deepEqual(askedBy(new URLSearchParams(query)), asked);
  assert.equal(Object.keys(asked).length, kFields.length);
});

test('the request has what was filled in, and nothing else', () => {
  const asked = askedBy(new URLSearchParams('service=+checkout+&candidate=1.24&labels=tier%3Dweb,+zone+%3D+a&condition='));
  assert.deepEqual(checkBody('http', asked), {policy: 'http', service: 'checkout', candidate: '1.24', labels: {tier: 'web', zone: 'a'}});
  assert.deepEqual(pairs('a=b=c,, d='), {a: 'b=c', d: ''});
  assert.throws(() => pairs('tier'), /“tier” is not name=value/);
  assert.throws(() => pairs('=x'), /is not name=value/);
});

test('an answer in one sentence', () => {
  const words = (outcome: string) => outcome.replaceAll('_', ' ');
  const rows: [[string, string][], string][] = [
    [[], 'There is nothing to evaluate.'],
    [[['errors', 'pass']], 'errors passes now.'],
    [[['errors', 'pass'], ['lag', 'pass']], 'All 2 conditions pass now.'],
    [[['errors', 'pass'], ['lag', 'no_data']], '1 of 2 passes now; lag: no data.'],
    [[['errors', 'fail']], '0 of 1 pass now; errors: fail.'],
  ];
  for (const [items, text] of rows) assert.equal(checkSentence(items.map(([name, outcome]) => ({condition: name, outcome})), words), text);
});
