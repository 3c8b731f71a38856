import assert from 'node:assert/strict';
import test from 'node:test';
import {address, parseRoute, policyHref, rolloutHref} from '../src/router';

test('every address means one view', () => {
  const rows: [string, string][] = [
    ['/', 'fleet'], ['', 'fleet'], ['/rollouts/ro_1', 'rollout ro_1'], ['/rollouts/ro_1/', 'rollout ro_1'], ['/policies', 'policies'],
    ['/policies/', 'policies'], ['/policies/http', 'policy http'], ['/policies/a%2Fb', 'policy a/b'], ['/deliveries', 'deliveries'],
    ['/system', 'system'], ['/rollouts', 'missing'], ['/rollouts/a/b', 'missing'], ['/systems', 'missing'], ['/system/x', 'missing'],
    ['/policies/%', 'missing'], ['/deliveries/x', 'missing'],
  ];
  for (const [path, expected] of rows) {
    const route = parseRoute(path, '?q=x');
    const name = 'id' in route ? ` ${route.id}` : 'name' in route ? ` ${route.name}` : '';
    assert.equal(route.view + name, expected, path);
  }
});

test('a query is kept for the views that have filters', () => {
  const fleet = parseRoute('/', '?state=paused&q=a%20b');
  assert.ok(fleet.view === 'fleet');
  assert.equal(fleet.query.get('q'), 'a b');
});

test('one view has one address', () => {
  assert.equal(address('/', {}), '/');
  assert.equal(address('/', {q: '', state: 'paused', cursor: undefined, namespace: 'a b'}), '/?namespace=a+b&state=paused');
  assert.equal(address('/x', {state: ['pending', '', 'accepted']}), '/x?state=pending&state=accepted');
});

test('names with any letter come back out of their address', () => {
  for (const name of ['http', 'a/b', 'ä ö?', '100%', '#1', '..']) {
    const href = policyHref(name, {service: name});
    const at = href.indexOf('?');
    const route = parseRoute(href.slice(0, at), href.slice(at));
    assert.ok(route.view === 'policy', name);
    assert.equal(route.name, name);
    assert.equal(route.query.get('service'), name);
  }
  assert.equal(rolloutHref('ro_1'), '/rollouts/ro_1');
});
