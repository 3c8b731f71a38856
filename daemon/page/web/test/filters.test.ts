import assert from 'node:assert/strict';
import test from 'node:test';
import {changed, fleetPath, filtersHref, narrowed, parseFilters, without} from '../src/fleet/filters';

const parsed = (query: string) => parseFilters(new URLSearchParams(query));

test('filters come back out of the address they make', () => {
  for (const query of ['', 'q=check&state=paused', 'namespace=payments&service=a+b&target=eu-1', 'label.tier=web&q=1.24', 'cursor=abc&ended_cursor=def&state=analyzing']) {
    assert.equal(filtersHref(parsed(query)), filtersHref(parsed(filtersHref(parsed(query)).slice(2))));
    assert.deepEqual(parsed(filtersHref(parsed(query)).slice(2)), parsed(query));
  }
});

test('what the page does not know is left out', () => {
  const filters = parsed('state=broken&colour=red&q=x&label.=y&namespace=');
  assert.deepEqual(filters, {q: 'x', state: '', exact: {}, cursor: '', ended_cursor: ''});
});

test('the request has the filters, without the spaces around a text, and its limits', () => {
  assert.equal(fleetPath(parsed('q=+check+&state=paused&label.tier=web')), '/api/v1/fleet?ended=60&label.tier=web&limit=120&q=check&state=paused');
});

test('no more rows are asked for than a view may have', () => {
  const query = new URLSearchParams(fleetPath(parsed('')).split('?')[1]);
  assert.ok(Number(query.get('limit')) + Number(query.get('ended')) <= 200);
});

test('another filter begins at the first page', () => {
  const filters = parsed('q=a&cursor=abc&ended_cursor=def&target=eu');
  assert.equal(filtersHref(changed(filters, {q: 'b'})), '/?q=b&target=eu');
  assert.equal(filtersHref(without(filters, 'target')), '/?q=a');
});

test('whether anything is left out by filters', () => {
  for (const query of ['q=a', 'state=paused', 'target=eu']) assert.ok(narrowed(parsed(query)), query);
  for (const query of ['', 'q=+', 'cursor=abc']) assert.ok(!narrowed(parsed(query)), query);
});
