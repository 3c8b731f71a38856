// The API's answers as far as the page reads them; beside daemon/api/openapi.json, which describes all of them.

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
}

export interface CheckedCondition {
  condition: string;
  outcome: Outcome;
  cause: string;
  value: number | null;
  rule: string;
  detail: string;
  query: string;
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

// ---- GET /fleet ----

export interface Recent {
  slot: Time;
  outcome: Outcome;
  value: number | null;
}

export interface Worst {
  name: string;
  verdict: Verdict;
  on_fail: OnFail;
  value: number | null;
  rule: string;
  limit: number | null;
  outcome: Outcome | null;
  detail: string | null;
  failing: number;
  fail_after: number;
  recent?: Recent[];
}

export interface FleetRow {
  id: string;
  namespace: string;
  service: string;
  target: string;
  stable: string | null;
  candidate: string;
  attempt: number;
  policy: string[];
  observe: boolean;
  state: State;
  verdict: Verdict;
  reason: string;
  percent: number;
  step: Step | null;
  weight: number | null;
  question: Question | null;
  freeze: string | null;
  worst: Worst | null;
  next_slot: Time | null;
  by: string;
  created_at: Time;
  updated_at: Time;
  ended_at: Time | null;
}

export interface Fleet {
  counts: Partial<Record<State, number>>;
  freeze: Freeze | null;
  seq: number;
  active: Items<FleetRow>;
  ended: Items<FleetRow>;
}

// ---- GET /rollouts/{id}/report ----

export interface ReportStep {
  index: number;
  weight: number | null;
  hold: string;
  approve: boolean;
  state: 'done' | 'current' | 'ahead';
  began_at: Time | null;
  ended_at: Time | null;
}

export interface ReportSlot {
  slot: Time;
  last_slot?: Time;
  slots?: number;
  outcome: Outcome;
  value: number | null;
  detail: string;
  step: number | null;
  number: number;
}

export interface ReportPoints {
  at: Time[];
  value: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  slots: number[];
  outcome: string; // one letter a point: p f i n e m
  fails: number[];
}

export interface Comparison {
  op: string;
  value: number;
}

export interface ReportCondition {
  name: string;
  kind: 'threshold' | 'readiness';
  verdict: Verdict;
  gating: boolean;
  applies: boolean;
  query: string;
  evidence_query: string | null;
  evaluated_at: Time | null;
  datasource: string;
  curl: string | null;
  graph_url: string | null;
  interval: string;
  window: string;
  initial_delay: string;
  fail_after: number;
  within: number | 'all';
  min_passes: number;
  min_evidence: number | null;
  on_fail: OnFail;
  on_no_data: string;
  on_error: string;
  fail_if: Comparison | null;
  pass_if: Comparison | null;
  series: 'any' | 'none' | null;
  rule: string;
  reduce: string;
  value: number | null;
  evidence: number | null;
  counts: Counts;
  failing: number;
  answers: number;
  passes_in_step: number;
  silent_since: Time | null;
  failed: boolean;
  next_slot: Time | null;
  slots: ReportSlot[];
  points: ReportPoints;
}

export type Verb = 'advance' | 'promote' | 'pause' | 'resume' | 'extend' | 'rollback' | 'cancel';

export interface Report {
  headline: string;
  rollout: Rollout;
  steps: ReportStep[];
  clock: {hold_until: Time | null; soak: string; soak_until: Time | null; deadline_at: Time | null; recovery_until: Time | null};
  conditions: ReportCondition[];
  alerts: Condition | null;
  evaluations_after: number;
  seq: number;
  events: {items: Event[]; earlier: number};
  deliveries: {items: Delivery[]; earlier: number};
  decision: string | null;
  actions: Record<Verb, string | null>; // null: possible now; else why not
}

// ---- GET /deliveries ----

export interface FleetDelivery extends Delivery {
  namespace: string;
  service: string;
  rollout_target: string;
  candidate: string;
  redeliverable: boolean;
}

export interface Deliveries extends Items<FleetDelivery> {
  counts: {pending: number; accepted: number; failed: number};
  targets: Target[];
}

// ---- GET /status ----

export interface Datasource {
  name: string;
  url: string;
  up: boolean | null;
  since: Time | null;
  last_answer_at: Time | null;
  last_error: string | null;
  last_error_at: Time | null;
  ingestion_delay: string;
  measured: boolean;
  max_concurrency: number;
  in_flight: number;
  waiting: number;
  queries: number;
  failures: number;
}

export interface Status {
  version: string;
  build: {compiler: string; page: boolean};
  started_at: Time;
  ready: boolean;
  not_ready: string | null;
  external_url: string | null;
  configuration: {
    file: string;
    loaded_at: Time;
    last_reload: {at: Time; ok: boolean; lines: string[]} | null;
    policies: number;
    services: number;
    tokens: number;
  };
  store: {kind: string; retention: string; trouble: string | null};
  datasources: Datasource[];
  targets: Target[];
  nodes: Node[];
  freezes: Freeze[];
  rollouts: Partial<Record<State, number>>;
  event_stream_clients: number;
}
