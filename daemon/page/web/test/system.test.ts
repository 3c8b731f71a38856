import assert from 'node:assert/strict';
import test from 'node:test';
import type {Status} from '../src/api';
import {datasourceWord, delayWords, nodeWord, statusSentence, targetWord} from '../src/system/system';

const now = Date.UTC(2026, 10, 26, 18, 0, 0);
const at = (ago: number): string => new Date(now - ago).toISOString();

const source = {
  name: 'default', url: '', up: true as boolean | null, since: null, last_answer_at: null, last_error: null, last_error_at: null, ingestion_delay: '15s', measured: false,
  max_concurrency: 8, in_flight: 0, waiting: 0, queries: 1, failures: 0,
};
const target = {
  name: 'deployer', kind: 'orchestrator' as const, breaker: {state: 'closed' as 'closed' | 'open' | 'half_open', since: null, next_probe: null},
  consecutive_failures: 0, last_error: null, open_deliveries: 0,
};
const node = {name: 'rw-1', number: 1, version: '0.1.0', joined_at: at(0), seen_at: null, lease_until: at(-9000) as string | null, rollouts: 1, places: 1, answering: true};

const status = (more: Partial<Status> = {}): Status => ({
  version: '0.1.0', build: {compiler: 'gcc', page: true}, started_at: at(3_600_000), ready: true, not_ready: null, external_url: null,
  configuration: {file: 'a.toml', loaded_at: at(0), last_reload: null, policies: 1, services: 0, tokens: 0}, store: {kind: 'sqlite', retention: '90d', trouble: null},
  datasources: [source], targets: [target], nodes: [node], freezes: [], rollouts: {}, event_stream_clients: 0, ...more,
});

test('the daemon in one sentence, what is wrong first', () => {
  const open = {...target, breaker: {...target.breaker, state: 'open' as const}};
  const rows: [Partial<Status>, string][] = [
    [{}, 'No trouble is known: 1 datasource answers, no target fails; up for 1h.'],
    [{nodes: [node, {...node, name: 'rw-2'}]}, 'No trouble is known: 1 datasource answers, no target fails, 2 nodes are alive; up for 1h.'],
    [{datasources: [source, {...source, name: 'b', up: null}]}, 'No trouble is known: 1 of 2 datasources has answered so far, no target fails; up for 1h.'],
    [{datasources: [{...source, up: false}]}, 'Datasource default does not answer.'],
    [{ready: false, not_ready: 'the store is away', targets: [open, {...open, name: 'b'}]}, 'The store is away; deployer and b do not take what is sent.'],
    [{targets: [target, {...target, name: 'edge', consecutive_failures: 3}]}, 'Edge has failed 3 times in a row.'],
    [{nodes: [{...node, lease_until: at(1000)}]}, 'Node rw-1 is silent.'],
    [{store: {kind: 'sqlite', retention: '90d', trouble: 'the disk is full'}}, 'The store has trouble: the disk is full.'],
    [
      {configuration: {...status().configuration, last_reload: {at: at(0), ok: false, lines: ['x']}}},
      'The last reload was refused, the configuration before it is in force.',
    ],
  ];
  for (const [more, text] of rows) assert.equal(statusSentence(status(more), now), text);
});

test('health is a word, and never a guess', () => {
  assert.equal(datasourceWord({...source, up: null}).text, 'not asked yet');
  assert.equal(datasourceWord({...source, up: false}).text, 'does not answer');
  assert.equal(targetWord({...target, breaker: {...target.breaker, state: 'half_open'}}).text, 'being probed');
  assert.equal(targetWord({...target, consecutive_failures: 1}).text, 'failing');
  assert.equal(targetWord(target).text, 'no failure');
  assert.equal(nodeWord({...node, lease_until: null}, now).text, 'alive');
  assert.equal(nodeWord({...node, lease_until: at(1)}, now).text, 'silent');
  assert.equal(delayWords({...source, measured: true}), '15s (measured)');
});
