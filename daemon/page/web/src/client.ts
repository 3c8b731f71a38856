// The API by fetch: with the token, answers as values, errors as ApiProblem with the server's own words.
import type {Me, Problem} from './api';
import {learnServerTime} from './clock';
import {forgetToken, session} from './session';

export class ApiProblem extends Error {
  constructor(
    readonly status: number, // 0: no answer at all
    readonly title: string,
    readonly detail: string,
    readonly errors: {pointer: string; detail: string}[] = [],
    readonly retryAfter: number | null = null, // seconds
  ) {
    super(detail || title);
  }
}

export const unreachable = (): ApiProblem =>
  new ApiProblem(0, 'No answer', 'The daemon cannot be reached: it is stopped or restarting, or the network is away.');

export function authorized(token: string | null, more: Record<string, string> = {}): Record<string, string> {
  return token ? {...more, Authorization: `Bearer ${token}`} : more;
}

// What a failed answer says; works for whatever a proxy between may answer instead.
export async function problemOf(response: Response): Promise<ApiProblem> {
  const retry = Number(response.headers.get('Retry-After') ?? NaN);
  const retryAfter = Number.isFinite(retry) ? retry : null;
  let problem: Partial<Problem> = {};
  try {
    if ((response.headers.get('Content-Type') ?? '').includes('json')) problem = (await response.json()) as Partial<Problem>;
  } catch {
    // said below by its status
  }
  const title = problem.title ?? (response.statusText || `HTTP ${response.status}`);
  return new ApiProblem(response.status, title, problem.detail ?? `The answer was HTTP ${response.status}.`, problem.errors ?? [], retryAfter);
}

const kPatience = 60_000; // no view takes as long; a network that is half gone takes for ever (a stream does so rightly)

// fetch, but for the ways to fail: AbortError passes, everything else is an ApiProblem.
export async function ask(path: string, init: RequestInit = {}, token = session.get().token): Promise<Response> {
  let response: Response;
  try {
    const headers = authorized(token, init.headers as Record<string, string> | undefined);
    response = await fetch(path, {cache: 'no-cache', ...init, headers});
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw unreachable();
  }
  learnServerTime(response.headers.get('Date'));
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status === 401 && token === session.get().token) {
    forgetToken(token ? 'This token is not known (any more).' : 'A token is needed to read this.');
  }
  throw problem;
}

// Also over when it has taken too long: a TimeoutError.
function limited(signal?: AbortSignal): AbortSignal {
  const control = new AbortController();
  const late = setTimeout(() => control.abort(new DOMException('no answer', 'TimeoutError')), kPatience);
  const end = (): void => {
    clearTimeout(late);
    control.abort(signal?.reason);
  };
  if (signal?.aborted) end();
  else signal?.addEventListener('abort', end, {once: true});
  return control.signal;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return jsonOf<T>(path, await ask(path, {headers: {Accept: 'application/json'}, signal: limited(signal)}));
}

export async function send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body: unknown = {}): Promise<T> {
  const response = await ask(path, {
    method,
    headers: {Accept: 'application/json', 'Content-Type': 'application/json'},
    body: JSON.stringify(body),
    signal: limited(),
  });
  return jsonOf<T>(path, response);
}

async function jsonOf<T>(path: string, response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw error instanceof TypeError || error instanceof DOMException ? unreachable() : new ApiProblem(502, 'Not JSON', `The answer to ${path} was no JSON.`);
  }
}

export const post = <T>(path: string, body: unknown): Promise<T> => send<T>('POST', path, body);

// Whose token this is; a wrong one is a problem with status 401, and leaves the session as it is.
export async function whose(token: string): Promise<Me> {
  let response: Response;
  try {
    response = await fetch('/api/v1/me', {cache: 'no-store', headers: authorized(token, {Accept: 'application/json'})});
  } catch {
    throw unreachable();
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Me;
}
