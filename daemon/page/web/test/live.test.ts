import assert from 'node:assert/strict';
import test from 'node:test';
import {backoff, connection, kBegin, type Connection, type Happening} from '../src/connection';
import {SseParser} from '../src/sse';

const after = (...happenings: Happening[]): Connection => happenings.reduce(connection, kBegin);
const lost = (at: number, heard: number | null = at - 10): Happening => ({type: 'lost', at, heard, why: 'cut', retryAt: at + 1000});

test('a stream that opens is live, one that is lost reconnects, and says from when what is shown is', () => {
  assert.equal(kBegin.state, 'connecting');
  assert.equal(after({type: 'opened', at: 1}).state, 'live');
  const cut = after({type: 'opened', at: 1}, lost(50, 40), lost(60, 40));
  assert.deepEqual([cut.state, cut.since, cut.failures, cut.freshAt, cut.retryAt], ['reconnecting', 50, 2, 40, 1060]);
});

test('one that was stopped while nobody looked is not live, and what is shown is as old as what was last heard', () => {
  const stopped = after({type: 'opened', at: 1}, {type: 'stopped', at: 30});
  assert.deepEqual([stopped.state, stopped.since], ['connecting', 30]);
  const back = connection(stopped, lost(9000, 25));
  assert.deepEqual([back.state, back.freshAt], ['reconnecting', 25]);
  assert.deepEqual(connection(back, {type: 'stopped', at: 9500}), back);
});

test('one that stays away is off, is tried again all the same, and live again forgets it', () => {
  let now = after({type: 'opened', at: 1});
  for (let at = 10; at <= 60; at += 10) now = connection(now, lost(at, 7));
  assert.deepEqual([now.state, now.since, now.retryAt, now.freshAt], ['off', 60, 1060, 7]);
  assert.deepEqual(connection(now, {type: 'opened', at: 70}), {state: 'live', since: 70, failures: 0, retryAt: null, why: null, freshAt: null});
});

test('one that never was live has nothing to be fresh from', () => {
  assert.equal(after(lost(5, null)).freshAt, null);
});

test('one that is refused is not tried again by itself', () => {
  const now = after({type: 'refused', at: 3, heard: null, why: 'the token lacks the scope read'});
  assert.deepEqual([now.state, now.retryAt, now.why], ['off', null, 'the token lacks the scope read']);
});

test('waiting grows to 15 s, is spread, and heeds what the server asks for', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 9].map((failures) => backoff(failures, 0.5)), [1000, 2000, 4000, 8000, 15_000, 15_000]);
  assert.equal(backoff(1, 0), 800);
  assert.equal(backoff(1, 1), 1200);
  assert.equal(backoff(1, 0.5, 5), 5000);
  assert.equal(backoff(1, 0.5, 86_400), 60_000);
});

test('events are read however the stream is cut into pieces', () => {
  const text = 'retry: 2000\nid: 41\n\n:\n\nid: 42\nevent: paused\ndata: {"seq":42}\n\ndata: a\ndata: b\r\n\r\nid:43\n\n';
  const expected = [{retry: 2000, id: '41'}, {id: '42', event: 'paused', data: '{"seq":42}'}, {data: 'a\nb'}, {id: '43'}];
  assert.deepEqual(new SseParser().push(text), expected);
  for (let size = 1; size < 12; ++size) {
    const parser = new SseParser();
    const blocks = [];
    for (let at = 0; at < text.length; at += size) blocks.push(...parser.push(text.slice(at, at + size)));
    assert.deepEqual(blocks, expected, `in pieces of ${size}`);
  }
});

test('what is not ended by an empty line is not an event yet', () => {
  const parser = new SseParser();
  assert.deepEqual(parser.push('id: 1\ndata: x\n'), []);
  assert.deepEqual(parser.push('\n'), [{id: '1', data: 'x'}]);
});

test('fields nobody knows, and a retry that is no number, are passed over', () => {
  assert.deepEqual(new SseParser().push('colour: red\n\nretry: soon\n\nid\n\n'), [{id: ''}]);
});
