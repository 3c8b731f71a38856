import assert from 'node:assert/strict';
import test from 'node:test';
import type {Me, Scope} from '../src/api';
import {ApiProblem, authorized, problemOf} from '../src/client';
import {offsetOf} from '../src/clock';
import {beginSession, forgetToken, keepToken, may, session, type Session} from '../src/session';

const me = (scopes: Scope[], namespaces: string[] = []): Me => ({name: 'ana', token: 'ana', scopes, namespaces});
const of = (who: Me | null): Session => ({token: 'rwt_x', me: who, asks: null});

test('buttons are for those who may', () => {
  const rows: [Me | null, Scope, string | undefined, boolean][] = [
    [null, 'decide', 'payments', false],
    [me(['read']), 'decide', 'payments', false],
    [me(['read', 'decide']), 'decide', 'payments', true],
    [me(['decide'], ['payments']), 'decide', 'payments', true],
    [me(['decide'], ['payments']), 'decide', 'search', false],
    [me(['admin'], ['payments']), 'admin', undefined, false],
    [me(['admin']), 'admin', undefined, true],
  ];
  for (const [who, scope, namespace, expected] of rows) assert.equal(may(of(who), scope, namespace), expected, JSON.stringify([who, scope, namespace]));
});

test('a token is asked for where one is needed, and only there', () => {
  beginSession({me: me(['read'])});
  assert.equal(session.get().asks, null);
  beginSession({me: null});
  assert.match(session.get().asks ?? '', /token is needed/);
  keepToken('rwt_x', me(['read']), false);
  assert.deepEqual([session.get().token, session.get().asks], ['rwt_x', null]);
  forgetToken('The token was forgotten.');
  assert.deepEqual(session.get(), {token: null, me: null, asks: 'The token was forgotten.'});
  beginSession({}); // a page that was not made by the daemon: /me is asked first
  assert.equal(session.get().asks, null);
});

test('a token goes in a header, and no header is sent without one', () => {
  assert.deepEqual(authorized('rwt_x', {Accept: 'a'}), {Accept: 'a', Authorization: 'Bearer rwt_x'});
  assert.deepEqual(authorized(null, {Accept: 'a'}), {Accept: 'a'});
});

test('a problem is told in the words of the server', async () => {
  const body = {title: 'Conflict', status: 409, detail: 'no question is open', errors: [{pointer: '/x', detail: 'y'}]};
  const problem = await problemOf(new Response(JSON.stringify(body), {status: 409, headers: {'Content-Type': 'application/problem+json', 'Retry-After': '7'}}));
  assert.ok(problem instanceof ApiProblem);
  assert.deepEqual([problem.status, problem.title, problem.message, problem.errors.length, problem.retryAfter], [409, 'Conflict', 'no question is open', 1, 7]);
});

test('whatever a proxy says instead is still a problem', async () => {
  const html = await problemOf(new Response('<h1>Bad Gateway</h1>', {status: 502, statusText: 'Bad Gateway', headers: {'Content-Type': 'text/html'}}));
  assert.deepEqual([html.status, html.title, html.detail, html.retryAfter], [502, 'Bad Gateway', 'The answer was HTTP 502.', null]);
  const broken = await problemOf(new Response('{"title": ', {status: 500, headers: {'Content-Type': 'application/json'}}));
  assert.deepEqual([broken.status, broken.title], [500, 'HTTP 500']);
});

test("a browser's clock that is wrong is set right by the server's, and one that is right is left alone", () => {
  const local = Date.UTC(2026, 10, 26, 18, 0, 0);
  const rows: [string | null, number | null][] = [
    [new Date(local + 3_600_000).toUTCString(), 3_600_500],
    [new Date(local - 60_000).toUTCString(), -59_500],
    [new Date(local + 1000).toUTCString(), 0],
    [new Date(local - 2000).toUTCString(), 0],
    [null, null],
    ['yesterday', null],
  ];
  for (const [header, expected] of rows) assert.equal(offsetOf(header, local), expected, String(header));
});
