// The API's answers as far as the page reads them; beside daemon/api/openapi.json, which describes all of them.
import type {Arm, Report} from './api_views';

export type * from './api_views';

export type State =
  | 'waiting' | 'analyzing' | 'paused' | 'promoting' | 'soaking' | 'rolling_back'
  | 'promoted' | 'rolled_back' | 'rollback_failed' | 'cancelled' | 'superseded';
export type Verdict = 'pending' | 'passing' | 'failing' | 'unknown' | 'failed' | 'passed';
export type Outcome = 'pass' | 'fail' | 'inconclusive' | 'no_data' | 'error' | 'missed';
export type DeliveryState = 'pending' | 'accepted' | 'done' | 'refused' | 'dead' | 'withdrawn';
export type OnFail = 'rollback' | 'pause' | 'observe';
export type Time = string; // RFC 3339, UTC, milliseconds
export type Texts = Record<string, string>;
export type Scope = 'read' | 'register' | 'decide' | 'admin';

export type Json = null | boolean | number | string | Json[] | {[key: string]: Json};
export type JsonObject = {[key: string]: Json};

export interface Items<T> {
  items: T[];
  next_cursor?: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: {pointer: string; detail: string}[];
}

// Whose the token is (null: none are configured) and what it may do; `namespaces` is empty for all.
export interface Me {
  name: string;
  token: string | null;
  scopes: Scope[];
  namespaces: string[];
}

// What the server wrote into the page.
export interface Boot {
  version?: string;
  me?: Me | null;
  report?: Report;
  status?: number;
}

export interface Counts {
  pass: number;
  fail: number;
  inconclusive: number;
  no_data: number;
  error: number;
  missed: number;
}

export interface FiringAlert {
  name: string;
  labels: string;
  summary: string | null;
  generator_url: string | null;
  fingerprint?: string;
  starts_at: Time;
  counts: boolean;
}

export interface Condition {
  name: string;
  verdict: Verdict;
  on_fail: OnFail;
  value: number | null;
  rule: string;
  last: {slot: Time; outcome: Outcome; detail: string} | null;
  counts: Counts;
  next_slot: Time | null;
  firing?: FiringAlert[];
  resolved?: number;
}

export interface Question {
  id: string;
  kind: string;
  text: string;
  since: Time;
  lifts_itself: boolean;
}

export interface Step {
  index: number;
  weight: number | null;
  since: Time | null;
  count: number;
}

export interface Rollout {
  id: string;
  namespace: string;
  service: string;
  target: string;
  stable: string | null;
  candidate: string;
  attempt: number;
  policy: string[];
  state: State;
  verdict: Verdict;
  reason: string;
  step: Step | null;
  weight: number | null;
  conditions: Condition[];
  question: Question | null;
  freeze: string | null;
  order: {id: string; kind: string; weight: number | null; accepted: boolean; since: Time} | null;
  fence: number | null;
  next_slot: Time | null;
  orchestrator: string | null;
  notify: string[];
  labels: Texts;
  args: Texts;
  by: string;
  links: Texts;
  observe: boolean;
  revision: number;
  created_at: Time;
  updated_at: Time;
  ended_at: Time | null;
  label: {label: 'right' | 'wrong'; reason: string; by: string; at: Time} | null;
  analysis: JsonObject;
  analysis_sources: Texts;
}

export interface EventData {
  state: State;
  summary: string;
  verdict: Verdict;
  by: string;
  token?: string;
  from?: string;
  step?: number;
  weight?: number | null;
  reason?: string;
  condition?: string;
  value?: number | null;
  rule?: string;
  kind?: string;
  decision?: string;
  order?: string;
  question?: string;
}

export interface Event {
  seq: number;
  at: Time;
  type: string;
  rollout: string;
  data: EventData;
}

export interface Attempt {
  at: Time;
  status: number | null;
  error: string | null;
  duration_ms: number;
  answer: string;
}

export interface Delivery {
  id: string;
  class: 'order' | 'notification';
  kind: string;
  rollout: string;
  target: string;
  state: DeliveryState;
  created_at: Time;
  expires_at: Time;
  attempts: Attempt[];
  weight?: number | null;
  fence?: number;
  held_because?: string;
  redeliverable?: boolean;
}

export interface PolicySummary {
  name: string;
  conditions: string[];
  steps: number;
  locked: boolean;
}

export interface Policy {
  name: string;
  analysis: JsonObject;
  analysis_sources: Texts;
  warnings?: string[];
  record?: PolicyRecord | null; // null: the store is away
}

export interface PolicyRecord {
  looked_at: number;
  since: Time | null;
  rollouts: number;
  conditions: ConditionRecord[];
}

export interface ConditionRecord {
  name: string;
  rollouts: number;
  answered: number;
  failed: number;
}

export interface CheckedCondition {
  condition: string;
  outcome: Outcome;
  cause: string;
  value: number | null;
  rule: string;
  detail: string;
  query: string;
  arms: (Arm & {curl: string})[] | null; // of a comparison, instead of the one query
  evidence: {query: string; value: number | null; curl: string} | null;
  series: string | null;
  warnings: string[];
  datasource: string;
  evaluated_at: Time;
  duration_ms: number;
  curl: string;
  graph_url: string;
}

export interface CheckAnswer {
  items: CheckedCondition[];
  left_out: string[];
  warnings: string[];
}

export interface Target {
  name: string;
  kind: 'orchestrator' | 'notifier';
  breaker: {state: 'closed' | 'open' | 'half_open'; since: Time | null; next_probe: Time | null};
  consecutive_failures: number;
  last_error: string | null;
  open_deliveries: number;
}

export interface Node {
  name: string;
  number: number | null;
  version: string;
  joined_at: Time;
  seen_at: Time | null;
  lease_until: Time | null;
  rollouts: number;
  places: number | null;
  answering: boolean;
}

export interface Freeze {
  namespace: string | null; // null: of everything
  service: string | null;
  in_force: boolean;
  text: string;
  by: string;
  reason: string;
  since: Time;
  until: Time | null;
}
