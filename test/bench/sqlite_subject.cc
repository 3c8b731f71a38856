#include "test/bench/sqlite_subject.h"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>

namespace rollwatch::bench {
namespace {

constexpr SysTime kStart{Millis(1'767'323'045'678)};
constexpr Millis kInterval{1'000};

double milliseconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

}  // namespace

double steady_now() { return milliseconds(CLOCK_MONOTONIC); }
double cpu_of_process() { return milliseconds(CLOCK_PROCESS_CPUTIME_ID); }
double cpu_of_this_thread() { return milliseconds(CLOCK_THREAD_CPUTIME_ID); }

double resident_megabytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

std::string rollout_id(int rollout) {
  char text[40];
  std::snprintf(text, sizeof text, "ro_01kdzx%08d0123456789ab", rollout);
  return text;
}

Commit registration(int rollout) {
  Commit commit;
  commit.rollout = rollout_id(rollout);
  StoredRollout stored;
  stored.spec.id = commit.rollout;
  stored.spec.service = "service-" + std::to_string(rollout);
  stored.spec.stable = "1.23";
  stored.spec.candidate = "1.24";
  stored.spec.policy = {"http"};
  stored.spec.orchestrator = "deployer";
  stored.spec.by = "ci";
  stored.spec.created_at = kStart;
  stored.document = std::make_shared<PlanDocument>(PlanDocument{1, std::string(2'000, 'x'), "{}"});
  commit.insert = std::move(stored);
  commit.state.emplace();
  commit.state->updated_at = kStart;
  return commit;
}

StoredEvaluation evaluation(unsigned number, int step) {
  StoredEvaluation one;
  one.number = number;
  one.condition = "errors";
  one.slot = kStart + number * kInterval;
  one.last_slot = one.slot;
  one.evaluated_at = one.slot;
  one.judgement.outcome = Outcome::kPass;
  one.judgement.value = 0.001 * (number % 17);
  one.judgement.rule = Comparison{CompareOp::kGreater, 0.05};
  one.step = step;
  one.duration = Millis(3);
  return one;
}

Commit slot_commit(int rollout, unsigned number) {
  Commit commit;
  commit.rollout = rollout_id(rollout);
  commit.evaluations.push_back(evaluation(number, 0));
  RolloutState& state = commit.state.emplace();
  state.state = State::kAnalyzing;
  state.step = 0;
  state.step_since = kStart;
  state.hold_since = kStart;
  state.deadline_at = kStart + Millis(86'400'000);
  state.reached_weight = 10;
  state.orders_given = 1;
  state.evaluations = number;
  state.revision = number + 2;
  state.begun = true;
  state.verdict = Verdict::kPassing;
  state.reason = "watched at 10 % until 12:00";
  ConditionState& condition = state.conditions.emplace_back();
  condition.phase_ms = rollout % 1'000;
  condition.last_slot = 1'767'323'045 + number;
  condition.watched_from = kStart;
  condition.counts = {number, 0, 0, 0, 0, 0};
  for (unsigned i = 0; i < 3; ++i)
    condition.recent.push_back({condition.last_slot - i, Outcome::kPass, false, 0.001 * i});
  condition.passes = condition.passes_in_step = condition.answers_of_all = number;
  condition.last = commit.evaluations.back().judgement;
  condition.last_evaluated_at = commit.evaluations.back().slot;
  condition.answered_for = condition.last_evaluated_at;
  state.updated_at = condition.last_evaluated_at;
  return commit;
}

}  // namespace rollwatch::bench
