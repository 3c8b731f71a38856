// The answers that are made for one view each; beside daemon/api/openapi.json. Import them from './api'.
import type {Condition, Counts, Delivery, Event, Freeze, Items, Node, OnFail, Outcome, Question, Rollout, State, Step, Target, Time, Verdict} from './api';

// ---- GET /fleet ----

export interface Recent {
  slot: Time;
  outcome: Outcome;
  value: number | null;
}

export type ConditionKind = 'threshold' | 'readiness' | 'comparison' | 'count';

export interface Worst {
  name: string;
  kind: ConditionKind;
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

// A question that is asked of one version alone.
export interface Arm {
  version: 'candidate' | 'stable';
  counts: 'all' | 'bad_events';
  query: string;
}

// Of one version, all slots together: counts, or the mean of a gauge.
export interface ArmSums {
  events: number | null;
  bad: number | null;
  rate: number | null;
  mean: number | null;
}

// How candidate and stable compare so far.
export interface Compared {
  kind: 'rate' | 'histogram' | 'gauge' | 'mann-whitney';
  in_promise: boolean;
  alpha: number;
  tolerance: string;
  margin: string | null;
  evidence: number;
  needed: number; // decides by itself
  together: number; // of all that share the promise
  needed_together: number;
  rejects: boolean;
  suspicious: boolean;
  held_back: boolean;
  early_promote: boolean;
  established: boolean;
  slots: number;
  candidate: ArmSums;
  stable: ArmSums;
  ratio: {value: number | null; low: number | null; high: number | null; level: number} | null;
  score: {whole: boolean; boundary: number | null; evidence: number} | null; // of a histogram: what speaks most against the candidate
  dispersion: number | null;
  history_slots: number;
  measured: string;
  shared: string | null;
  outlook: string | null;
  assumes: string[];
}

export interface ReportCondition {
  name: string;
  kind: ConditionKind;
  verdict: Verdict;
  gating: boolean;
  applies: boolean;
  query: string;
  arms: Arm[] | null;
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
  reduce: string | null;
  comparison: Compared | null;
  value: number | null; // of a comparison: the evidence
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
  resume: 'promotes' | 'goes_on' | 'waits_on' | 'begins_afresh' | null; // what a yes to the open question leads to
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
    warnings?: string[];
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
