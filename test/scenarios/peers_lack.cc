// What neither has, and what their pages say and their code does not.
#include "test/scenarios/peers.h"

namespace rollwatch {

std::vector<PeerRow> peers_lack() {
  return {
      {"peers_serve_kubernetes_only",
       "there is no API with which another orchestrator registers a rollout and gets a verdict",
       "any orchestrator registers, reports where it is and asks: none has to be called", R"(
metric errors = 0.01
register 1.24 over 1.23 without orchestrator
deployer reports 5
after 3m
expect verdict passing
deployer reports 25
after 3m
expect promoted
expect orders none
)"},
      {"peers_have_no_history", "verdicts live in an object's status, and end with it",
       "history outlives the rollout and the process", R"(
metric errors = 0.9
register 1.24 over 1.23
after 3m
expect rolled_back
restart after 1h
expect rolled_back
expect slots errors fail 3, missed 0
expect explain 3 of the last 3
)"},
      {"peers_drop_the_labels", "a measurement is a number: which pod was bad is gone",
       "the series that decided is kept with its labels", R"(
metric errors = {pod="checkout-7f"} 0.4
register 1.24 over 1.23
after 3m
expect rolled_back
expect explain checkout-7f
expect reason checkout-7f
)"},
      {"peers_take_unreachable_for_bad",
       "no rule tells a source that is away from a release that is bad",
       "unreachable is told as such, and asks a person", R"(
source down
register 1.24 over 1.23
after 7m
expect paused
expect reason the datasource cannot be reached
expect verdict unknown
)"},
      {"peers_judge_on_three_requests", "a minimum of traffic is left to everybody's own PromQL",
       "evidence and min_evidence: too few events cannot pass, and only lengthen the step", R"(
  evidence = 'requests'
metric errors = 0
metric requests = 3
register 1.24 over 1.23
after 1h
expect analyzing
expect weight 5
expect last errors 3 of 100 events
metric requests = 300
after 6m
expect promoted
)"},
      {"peers_roll_back_on_a_blip", "limits count in total, so a blip is remembered for ever",
       "by default failing slots must follow one another", R"(
metric errors = 0.01
register 1.24 over 1.23
after 1m
metric errors = 0.9
after 30s
metric errors = 0.01
after 30s
metric errors = 0.9
after 30s
metric errors = 0.01
after 30s
metric errors = 0.9
after 30s
metric errors = 0.01
after 10m
expect promoted
)"},
      {"peers_do_not_parse", "neither queries nor conditions are read before the run",
       "a variable without a value, a query without a rule and one that does not parse are refused",
       R"(
  query = 'errors{zone="{{args.zone}}"} > 0.05'
register 1.24 over 1.23
expect answer args.zone
expect orders none
)"},
      {"peers_repeat_every_query", "each run asks for itself, with no shared answer",
       "select: one answer is read by all rollouts it is about, each its own series", R"(
  query = 'errors by version'
  fail_if = "> 0.05"
  select = { version = "{{candidate}}" }
metric errors by version = {version="1.24"} 0.01, {version="1.25"} 0.9
register 1.24 over 1.23 to eu-1
register 1.25 over 1.23 to us-1
after 6m
expect rolled_back
look at 1.24
expect promoted
)"},
      {"peers_lose_notifications",
       "a message is sent while the loop runs, a few times at most, and nothing is on disk",
       "a message is a delivery like an order: a restart neither loses nor repeats it", R"(
config notifier.people
  type = "slack"
  webhook_url = "http://127.0.0.1:8081/hook"
metric errors = 0.01
register 1.24 over 1.23
after 3m
restart after 1m
after 6m
expect promoted
expect told started, promoted
)"},
      {"peers_cannot_tell_a_repeat_from_an_order", "calls carry neither a signature nor a key",
       "a repeat has the order's id: what fails, or is repeated after a crash, has one effect", R"(
metric errors = 0.01
deployer fails
register 1.24 over 1.23
store fails
deployer acknowledges
after 2s
expect attempts advance 5
store works
restart after 1m
expect attempts advance 5, advance 5
expect orders advance 5
after 10m
expect promoted
expect orders advance 5, advance 25, promote 100
)"},
  };
}

std::vector<PeerRow> peers_say() {
  return {
      {"argo_metric_without_conditions_is_successful",
       "the page says inconclusive, the code says successful", "it is refused, with the way out",
       R"(
  query = 'errors'
expect refused the query does not end in a comparison
)"},
      {"argo_limit_of_three_fails_at_the_fourth",
       "the page says that failureLimit 3 fails after three failures", "fail_after 3 is three", R"(
  within = "all"
metric errors = 0.9
register 1.24 over 1.23
after 1m30s
expect analyzing
expect slots errors fail 2
after 30s
expect rolled_back
expect slots errors fail 3
)"},
      {"argo_count_of_zero_measures_once",
       "the page says that count 0 does not execute the analysis; it measures once, or is refused",
       "numbers that mean nothing are refused", R"(
  min_passes = 0
expect refused min_passes
)"},
      {"argo_all_checks_every_value",
       "the page shows all(result, …) as a check of every value; of none it is true",
       "a pass needs a value", R"(
metric errors = no data
register 1.24 over 1.23
after 3m
expect slots errors pass 0
)"},
      {"argo_star_is_a_wildcard",
       "the page writes * for all names; it is an invalid expression and the run an error",
       "what a condition does is one of three words, and anything else is refused", R"(
  on_fail = "*"
expect refused on_fail
)"},
      {"argo_automatic_promotion_overtakes_the_analysis",
       "the page says that a running analysis is marked successful when the time is up",
       "no time that passes replaces a pass", R"(
  evidence = 'requests'
metric errors = 0.01
metric requests = 5
register 1.24 over 1.23
after 23h
expect analyzing
expect weight 5
)"},
      {"flagger_alert_without_severity_is_never_sent",
       "the page says that severity is info by default; without one nothing is sent",
       "a notifier that says nothing about events is told the usual ones", R"(
config notifier.people
  type = "slack"
  webhook_url = "http://127.0.0.1:8081/hook"
metric errors = 0.9
register 1.24 over 1.23
after 3m
expect told started, decided, rolled_back
)"},
      {"flagger_rollback_does_not_work_while_waiting",
       "the page says that a rollback works while a confirmation is waited for",
       "a person's rollback works from every state that has not ended", R"(
metric errors = 0.01
person ana freeze checkout for 2h
register 1.24 over 1.23
expect waiting
person ana rollback because it is the wrong one
expect rolled_back
expect orders rollback 0
)"},
      {"flagger_has_a_provider_the_page_does_not_name",
       "the list of providers on the page and in the code differ",
       "a kind of notifier that is not known is refused", R"(
config notifier.people
  type = "gchat"
  webhook_url = "http://127.0.0.1:8081/hook"
expect refused type
)"},
  };
}

}  // namespace rollwatch
