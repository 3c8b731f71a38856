// A report as the daemon gives it, with what a test is about changed.
import type {Compared, Delivery, Event, Report, ReportCondition, ReportSlot, Rollout, State} from '../../src/api';

export const kBegan = Date.parse('2026-11-26T14:00:00.000Z');

export const at = (seconds: number): string => new Date(kBegan + seconds * 1000).toISOString();

export function slot(number: number, outcome: ReportSlot['outcome'], value: number | null = null, more: Partial<ReportSlot> = {}): ReportSlot {
  return {number, slot: at(number * 30), outcome, value, detail: `${outcome} ${value ?? ''}`.trim(), step: 0, ...more};
}

export function condition(more: Partial<ReportCondition> = {}): ReportCondition {
  return {
    name: 'error-rate', kind: 'threshold', verdict: 'passing', gating: true, applies: true,
    query: 'sum(rate(errors[1m]))', arms: null, evidence_query: null, evaluated_at: at(60), datasource: 'default', curl: 'curl …', graph_url: 'http://prometheus/graph',
    interval: '30s', window: '1m', initial_delay: '0s', fail_after: 3, within: 3, min_passes: 2, min_evidence: null,
    on_fail: 'rollback', on_no_data: 'wait', on_error: 'wait',
    fail_if: {op: '>', value: 0.05}, pass_if: null, series: null, rule: '> 0.05', reduce: 'each', comparison: null,
    value: 0.01, evidence: null, counts: {pass: 2, fail: 0, inconclusive: 0, no_data: 0, error: 0, missed: 0},
    failing: 0, answers: 2, passes_in_step: 1, silent_since: null, failed: false, next_slot: at(90),
    slots: [slot(1, 'pass', 0.01), slot(2, 'pass', 0.02)],
    points: {at: [at(30), at(60)], value: [0.01, 0.02], low: [0.01, 0.02], high: [0.01, 0.02], slots: [1, 1], outcome: 'pp', fails: [0, 0]},
    ...more,
  };
}

export function compared(more: Partial<Compared> = {}): Compared {
  return {
    kind: 'rate', in_promise: true, alpha: 0.01, tolerance: '> 1.25 × stable + 0.05 %', margin: '> 1.5 × stable + 0.5 %',
    evidence: 0.4123456, needed: 100.00000000000004, together: 0.4123456, needed_together: 100.00000000000004,
    rejects: false, suspicious: false, held_back: false, early_promote: false, established: false, slots: 12,
    candidate: {events: 2310.4, bad: 12, rate: 0.0051948, mean: null}, stable: {events: 43_900, bad: 180, rate: 0.0041002, mean: null},
    ratio: {value: 1.2669, low: 0.71, high: 2.1, level: 0.95}, score: null, dispersion: 1.8, history_slots: 30,
    measured: '12 bad of 2,310 (0.52 %), stable 180 of 43,900 (0.41 %): 1.27 times', shared: null, outlook: null,
    assumes: ['both versions serve the same mix of requests'],
    ...more,
  };
}

// A condition that compares, as of the third slot: warm-up, and evidence that grows.
export function comparing(more: Partial<ReportCondition> = {}, about: Partial<Compared> = {}): ReportCondition {
  const arm = (version: 'candidate' | 'stable', counts: 'all' | 'bad_events') => ({version, counts, query: `${counts}{version="${version}"}`});
  const value = [null, 0.4, 0];
  return condition({
    name: 'errors', kind: 'comparison', comparison: compared(about), rule: '> 1.25 × stable + 0.05 %', reduce: null, fail_if: null,
    arms: [arm('candidate', 'all'), arm('candidate', 'bad_events'), arm('stable', 'all'), arm('stable', 'bad_events')],
    value: 0.4, evidence: 2310.4, min_evidence: 100, fail_after: 1, within: 1,
    points: {at: [at(30), at(60), at(90)], value, low: value, high: value, slots: [1, 1, 1], outcome: 'ipp', fails: [0, 0, 0]},
    ...more,
  });
}

export function rollout(state: State, more: Partial<Rollout> = {}): Rollout {
  return {
    id: 'ro_1', namespace: 'payments', service: 'checkout', target: 'eu-1', stable: '1.23', candidate: '1.24', attempt: 1, policy: ['http'],
    state, verdict: 'passing', reason: 'watching at 5 %', step: {index: 0, weight: 5, since: at(0), count: 2}, weight: 5,
    conditions: [], question: null, freeze: null, order: null, fence: 1, next_slot: at(90), orchestrator: 'deployer', notify: [],
    labels: {}, args: {}, by: 'ci', links: {}, observe: false, revision: 5, created_at: at(-10), updated_at: at(60), ended_at: null, label: null,
    analysis: {patience: '5m'}, analysis_sources: {},
    ...more,
  };
}

export function event(seq: number, type: string, more: Partial<Event['data']> = {}): Event {
  return {seq, at: at(seq), type, rollout: 'ro_1', data: {state: 'analyzing', summary: type, verdict: 'passing', by: 'engine', ...more}};
}

export function delivery(id: string, more: Partial<Delivery> = {}): Delivery {
  return {id, class: 'order', kind: 'advance', rollout: 'ro_1', target: 'deployer', state: 'done', created_at: at(0), expires_at: at(300), attempts: [], weight: 5, ...more};
}

// 5 % for two minutes, 25 % for five with an approval, 100 %, and a soak of a quarter of an hour.
export function report(state: State, about: Partial<Rollout> = {}, more: Partial<Report> = {}): Report {
  return {
    headline: 'checkout 1.24 is at 5 %', rollout: rollout(state, about),
    steps: [
      {index: 0, weight: 5, hold: '2m', approve: false, state: 'current', began_at: at(0), ended_at: null},
      {index: 1, weight: 25, hold: '5m', approve: true, state: 'ahead', began_at: null, ended_at: null},
      {index: 2, weight: 100, hold: '0s', approve: false, state: 'ahead', began_at: null, ended_at: null},
    ],
    clock: {hold_until: at(120), soak: '15m', soak_until: null, deadline_at: at(86_400), recovery_until: null},
    conditions: [condition()], alerts: null, evaluations_after: 2, seq: 9,
    events: {items: [], earlier: 0}, deliveries: {items: [], earlier: 0}, decision: null,
    actions: {advance: null, promote: null, pause: null, resume: 'no question is open', extend: null, rollback: null, cancel: null},
    resume: null,
    ...more,
  };
}
