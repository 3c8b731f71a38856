// The one event stream of the page: read by fetch (EventSource sends no Authorization), resumed after the last event
// that was seen, closed while the tab is hidden (a browser has six connections to a host, and every tab wants one).
import type {Event} from './api';
import {ApiProblem, ask} from './client';
import {serverNow} from './clock';
import {backoff, connection, kBegin, type Connection, type Happening} from './connection';
import {session} from './session';
import {SseParser} from './sse';
import {store} from './store';

const kSilence = 40_000; // the server says something every 15 s
const kHiddenFor = 20_000;
const kPatience = 4000;

export const live = store<Connection>(kBegin);

type EventListener = (event: Event) => void;
type GapListener = () => void;
const eventListeners = new Set<EventListener>();
const gapListeners = new Set<GapListener>();

// Calls for every event as it comes.
export function onEvent(listener: EventListener): () => void {
  eventListeners.add(listener);
  return () => eventListeners.delete(listener);
}

// Calls when events may have been missed: everything must be read anew.
export function onGap(listener: GapListener): () => void {
  gapListeners.add(listener);
  return () => gapListeners.delete(listener);
}

let lastId: string | null = null;
let heard: number | null = null; // when the server last said anything in the stream
let gap = false; // the stream cannot go on where it was
let begun = false;
let running: AbortController | null = null;
let retryTimer: ReturnType<typeof setTimeout> | undefined;
let hiddenTimer: ReturnType<typeof setTimeout> | undefined;

const happened = (happening: Happening): void => live.set(connection(live.get(), happening));

// A view has its data, and whatever was recorded until event `seq` is in it: the stream begins with what comes after.
// Before that nobody needs it, and without a `seq` it begins now.
export function dataCame(seq?: number): void {
  if (begun) return;
  begun = true;
  if (seq !== undefined) lastId = String(seq);
  if (session.get().asks === null) void connect();
}

async function read(response: Response, alive: () => void): Promise<void> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    heard = serverNow();
    alive();
    for (const block of parser.push(decoder.decode(value, {stream: true}))) {
      if (block.id !== undefined) lastId = block.id;
      if (block.data !== undefined) tell(block.data);
    }
  }
}

function tell(data: string): void {
  let event: Event;
  try {
    event = JSON.parse(data) as Event;
  } catch {
    return; // nothing of ours
  }
  for (const listener of [...eventListeners]) listener(event);
}

async function connect(): Promise<void> {
  const abort = new AbortController();
  running = abort;
  let silence: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(silence);
    silence = setTimeout(() => abort.abort(), kSilence);
  };
  let problem: ApiProblem | null = null;
  try {
    alive();
    const headers: Record<string, string> = {Accept: 'text/event-stream'};
    if (lastId !== null) headers['Last-Event-ID'] = lastId;
    const response = await ask('/api/v1/events', {headers, signal: abort.signal, cache: 'no-store'});
    gap ||= live.get().failures > 0; // slots are no events: what moved with them while nobody was told
    heard = serverNow();
    happened({type: 'opened', at: heard});
    if (gap) for (const listener of [...gapListeners]) listener();
    gap = false;
    await read(response, alive);
  } catch (error) {
    if (error instanceof ApiProblem) problem = error;
  } finally {
    clearTimeout(silence);
  }
  if (running !== abort) return; // stopped on purpose
  running = null;
  lost(problem);
}

function lost(problem: ApiProblem | null): void {
  if (problem?.status === 401) return; // the session asks for a token, and begins anew with it
  if (problem?.status === 403) {
    happened({type: 'refused', at: serverNow(), heard, why: problem.detail});
    return;
  }
  if (problem?.status === 410) {
    lastId = null; // events in between are gone: what is shown is read anew
    gap = true;
  }
  const wait = problem?.status === 410 ? 0 : backoff(live.get().failures + 1, Math.random(), problem?.retryAfter ?? null);
  happened({type: 'lost', at: serverNow(), heard, why: problem ? problem.detail : 'The connection was closed.', retryAt: serverNow() + wait});
  retryTimer = setTimeout(() => void connect(), wait);
}

function stop(): void {
  clearTimeout(retryTimer);
  const current = running;
  running = null;
  current?.abort();
  happened({type: 'stopped', at: serverNow()});
}

export function tryNow(): void {
  stop();
  void connect();
}

// Follows the token, the network and whether anybody looks; the stream itself begins with dataCame().
export function beginLive(): void {
  let token = session.get().token;
  session.subscribe((now) => {
    if (now.asks !== null) stop();
    else if (begun && now.token !== token) tryNow();
    token = now.token;
  });
  setTimeout(dataCame, kPatience); // a view that needs no data, or waits long for it
  window.addEventListener('online', () => begun && tryNow());
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiddenTimer);
    if (document.visibilityState === 'hidden') hiddenTimer = setTimeout(stop, kHiddenFor);
    else if (begun && running === null && session.get().asks === null) tryNow();
  });
}
