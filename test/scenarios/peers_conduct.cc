// When is asked, what counts, when is acted, what is kept.
#include "test/scenarios/peers.h"

namespace rollwatch {

std::vector<PeerRow> peers_conduct() {
  return {
      {"flagger_one_loop_for_all_metrics", "one ticker asks every metric at the same interval",
       "each condition has a grid of its own", R"(
  interval = "10s"
condition slow
  query = 'slow > 1'
  interval = "1m"
metric errors = 0.01
metric slow = 0.1
register 1.24 over 1.23
after 2m
expect analyzing
expect slots errors pass 11
expect slots slow pass 1
)"},
      {"argo_interval_drifts_with_the_query",
       "the interval begins at the end of the last measurement, so slow queries stretch it",
       "slots lie on a grid that nothing moves", R"(
metric errors = slow
register 1.24 over 1.23
after 10m
expect slots errors error 19, missed 0
expect no gap
)"},
      {"flagger_bad_interval_is_a_minute", "an interval that cannot be read silently means 60 s",
       "it is refused, with its place", R"(
  interval = "30"
expect refused interval
)"},
      {"argo_interval_may_be_negative", "0s and negative intervals are accepted",
       "an interval is at least 100 ms", R"(
  interval = "0s"
expect refused interval
)"},
      {"flagger_has_no_initial_delay", "the first tick measures at once",
       "initial_delay is waited for once, on top of a whole window", R"(
  initial_delay = "5m"
metric errors = 0.9
register 1.24 over 1.23
after 5m
expect slots errors none
metric errors = 0.01
after 5m
expect promoted
)"},
      {"argo_counts_measurements",
       "count says how many measurements there are, and without it there is one",
       "a step lasts its hold, and min_passes says how many passes it needs at least", R"(
  min_passes = 10
metric errors = 0.01
register 1.24 over 1.23
after 5m
expect weight 5
expect verdict pending
after 1m
expect weight 25
)"},
      {"argo_failure_limit_must_be_exceeded",
       "failureLimit 3 fails at the fourth failure, in total over the run",
       "fail_after 3 fails at the third, in a row unless within says otherwise", R"(
metric errors = 0.9
register 1.24 over 1.23
after 5m
expect rolled_back
expect slots errors fail 3
expect reason 3 of the last 3
)"},
      {"flagger_good_ticks_reset_nothing",
       "failed checks add up over the whole canary, however many good ones lie between",
       "a pass breaks the row", R"(
metric errors = 0.9
register 1.24 over 1.23
after 1m20s
metric errors = 0.01
after 30s
metric errors = 0.9
after 1m
metric errors = 0.01
after 10m
expect promoted
expect slots errors fail 4
)"},
      {"flagger_acts_one_interval_late", "the counter is looked at when the next tick begins",
       "the slot that fails the condition orders the rollback", R"(
  interval = "10m"
metric errors = 0.9
register 1.24 over 1.23
after 40m
expect rolled_back
expect slots errors fail 3
)"},
      {"argo_success_streak_ends_early", "a streak of successes ends the analysis as successful",
       "passes end no hold: what is bad a minute later is still seen", R"(
  interval = "1s"
metric errors = 0.01
register 1.24 over 1.23
after 1m55s
expect weight 5
expect verdict passing
metric errors = 0.9
after 5s
expect rolled_back
)"},
      {"argo_first_inconclusive_pauses", "inconclusiveLimit is 0, so the first one pauses",
       "answers that decide nothing have as long as patience says", R"(
  fail_if = "> 0.8"
  pass_if = "< 0.5"
metric errors > 0.05 = 0.6
register 1.24 over 1.23
after 4m
expect analyzing
metric errors > 0.05 = 0.1
after 5m
expect promoted
expect no event paused
)"},
      {"argo_fifth_error_ends_the_run", "consecutiveErrorLimit is 4, retried every 10 s",
       "there is no such limit: errors use up patience, which is a time and not a count", R"(
  interval = "1s"
source down
register 1.24 over 1.23
after 4m
expect analyzing
source up
metric errors = 0.01
after 5m
expect promoted
)"},
      {"argo_dry_run_is_a_pattern_of_names",
       "metrics run dry by a regular expression over their names, which may match nothing",
       "a condition observes because it says so, and tells what it would have done", R"(
  on_fail = "observe"
condition latency
  query = 'latency > 1'
metric errors = 0.9
metric latency = 0.1
register 1.24 over 1.23
after 6m
expect promoted
expect event condition_failed would have rolled back: errors 0.9 > 0.05
)"},
      {"flagger_failed_checks_of_all_metrics_add_up",
       "one counter for all metrics: each may fail a little, and together they roll back",
       "each condition counts its own", R"(
condition latency
  query = 'latency > 1'
metric errors = 0.9
metric latency = 0.1
register 1.24 over 1.23
after 1m20s
metric errors = 0.01
metric latency = 9
after 1m
metric latency = 0.1
after 10m
expect promoted
expect slots errors fail 2
expect slots latency fail 2
)"},
      {"argo_first_failure_ends_the_siblings",
       "the first metric that fails skips those not started and stops those in flight",
       "the others are asked until the rollback, and what they said is beside what failed",
       R"(
condition slow
  query = 'slow > 1'
metric errors = 0.9
metric slow = slow
register 1.24 over 1.23
after 4m
expect rolled_back
expect slots errors fail 3
expect slots slow error some
expect no gap
expect explain "siblings":[{"name":"slow"
)"},
      {"flagger_first_bad_metric_hides_the_others",
       "the first bad metric ends the tick, so the others are never reported",
       "what the siblings said at that moment is in the explanation", R"(
condition latency
  query = 'latency > 1'
metric errors = 0.9
metric latency = 7
register 1.24 over 1.23
after 3m
expect rolled_back
expect explain "siblings":[{"name":
expect explain 7 > 1
expect explain 0.9 > 0.05
)"},
      {"peers_have_no_early_success", "neither ends early but by a streak",
       "neither do we: a hold is a hold, also with a pass every second", R"(
  interval = "1s"
metric errors = 0.01
register 1.24 over 1.23
after 1m59s
expect weight 5
after 3s
expect weight 25
)"},
      {"argo_terminated_run_is_successful",
       "a run that was ended before it measured anything is reported as successful",
       "a cancelled rollout is cancelled: it neither passed nor failed", R"(
metric errors = 0.01
register 1.24 over 1.23
person ana cancel
expect cancelled
expect verdict pending
)"},
      {"argo_run_of_failures_can_be_successful",
       "count 2 and failureLimit 2 make two failures a success",
       "without a pass nothing goes on, whatever the limits", R"(
  fail_after = 500
  within = 500
metric errors = 0.9
register 1.24 over 1.23
after 2h
expect analyzing
expect weight 5
expect verdict failing
)"},
      {"flagger_keeps_a_counter", "of all measurements one counter and the last value are kept",
       "each slot is kept with what it ended as and why; each decision with its answer", R"(
metric errors = 0.01
register 1.24 over 1.23
after 3m
metric errors = 0.9
after 2m
expect rolled_back
expect slots errors pass 5, fail 3
expect explain "query":"errors"
expect explain "response":"scripted"
expect explain "response_sha256"
)"},
      {"argo_keeps_ten_measurements",
       "the last ten measurements of a metric are kept, so the deciding one may be gone",
       "all are kept, until retention ends", R"(
  interval = "1s"
metric errors = 0.01
register 1.24 over 1.23
after 4m10s
expect promoted
expect slots errors pass 240
expect no gap
)"},
      {"argo_keeps_five_runs", "of a rollout's runs five successful and five other ones are kept",
       "a rollout is kept by its age, not by how many came after it", R"(
metric errors = 0.9
register 1.1 over 1.0
after 3m
metric errors = 0.01
register 1.2 over 1.0
register 1.3 over 1.0
register 1.4 over 1.0
register 1.5 over 1.0
register 1.6 over 1.0
register 1.7 over 1.0
after 10m
expect promoted
look at 1.1
expect rolled_back
expect slots errors fail 3
expect explain 0.9 > 0.05
)"},
      {"flagger_one_metric_after_another",
       "metrics and webhooks are asked one after another in one loop, and a slow one holds up all",
       "everything that is due is asked at once: a slow condition delays no other", R"(
  interval = "5s"
condition slow
  query = 'slow > 1'
  interval = "5s"
  on_fail = "observe"
metric errors = 0.01
metric slow = slow
register 1.24 over 1.23
after 4m30s
expect promoted
expect slots errors error 0, missed 0
expect slots slow error some, missed some
)"},
  };
}

}  // namespace rollwatch
