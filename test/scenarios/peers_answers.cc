// What an answer means.
#include "test/scenarios/peers.h"

namespace rollwatch {

std::vector<PeerRow> peers_answers() {
  return {
      {"argo_error_is_counted_by_itself_and_aborts",
       "the fifth error in a row ends the run, which aborts the rollout like a failure",
       "errors are waited for, however many: after patience a person is asked", R"(
metric errors = http 503
register 1.24 over 1.23
after 24h
expect paused
expect slots errors error some, fail 0
expect orders advance 5, pause 5
)"},
      {"flagger_query_error_is_a_failed_check", "a query error counts like a bad value",
       "it is an outcome of its own, and breaks no row of failing slots nor adds to it", R"(
metric errors = 0.9
register 1.24 over 1.23
after 1m
metric errors = http 503
after 3m
expect analyzing
expect slots errors error some, fail 1
metric errors = 0.01
after 5m
expect promoted
)"},
      {"peers_outage_of_the_metrics_server_rolls_back",
       "a metrics server that is away for a minute rolls a healthy release back",
       "the rollout waits, pauses, and goes on by itself when the server is back", R"(
metric errors = 0.01
register 1.24 over 1.23
after 3m
source down
after 2h
expect paused
source up
after 10m
expect promoted
expect orders advance 5, advance 25, pause 25, resume 25, promote 100
)"},
      {"argo_all_of_an_empty_answer_passes",
       "all(result, # < 0.05) is true for an answer without any series", "no series is no data", R"(
metric errors = no data
register 1.24 over 1.23
after 4m
expect slots errors no_data some, pass 0, fail 0
expect weight 5
)"},
      {"flagger_empty_answer_is_a_failed_check",
       "an answer without series counts as a failure, and rolls back at low traffic",
       "no series is no data, which fails nothing unless the condition says so", R"(
metric errors = no data
register 1.24 over 1.23
after 1h
expect paused
expect question no_answers
)"},
      {"argo_not_a_number_passes_a_failure_condition",
       "NaN > 0.05 is false, so a failure condition alone takes NaN for a success",
       "NaN is no data", R"(
metric errors = nan
register 1.24 over 1.23
after 4m
expect slots errors no_data some, pass 0, fail 0
expect last errors the answer is NaN
)"},
      {"flagger_infinity_passes_a_lower_bound",
       "a division by zero is an ordinary number, and passes where only a minimum is set",
       "an infinite answer is no data, on either side of a limit", R"(
  fail_if = "< 1"
metric errors > 0.05 = infinite
register 1.24 over 1.23
after 4m
expect slots errors no_data some, pass 0, fail 0
)"},
      {"flagger_last_series_wins",
       "of several series the last one is judged, whichever it is, and its labels are dropped",
       "the worst of them decides and is named", R"(
metric errors = {pod="a"} 0.4, {pod="b"} 0.01
register 1.24 over 1.23
after 3m
expect rolled_back
expect reason errors 0.4 > 0.05 at {pod="a"}
)"},
      {"argo_judges_the_first_series",
       "the usual result[0] looks at the first series only, in the server's order",
       "the order changes nothing", R"(
metric errors = {pod="b"} 0.01, {pod="a"} 0.4
register 1.24 over 1.23
after 3m
expect rolled_back
expect reason errors 0.4 > 0.05 at {pod="a"}
)"},
      {"flagger_scalar_is_an_error", "a scalar cannot be decoded and counts as a failed check",
       "a scalar is a number", R"(
metric errors = scalar 0.01
register 1.24 over 1.23
after 6m
expect promoted
)"},
      {"argo_matrix_is_flattened",
       "the points of a range become one list, whose times and labels are gone",
       "a range is an error that says so: a window belongs into the query", R"(
metric errors = matrix
register 1.24 over 1.23
after 4m
expect slots errors error some, pass 0, fail 0
expect last errors an answer no condition can use: matrix
)"},
      {"argo_string_ends_the_run",
       "a string is an error of the measurement, and the fifth ends the run as a failed one",
       "it is an error that says so, and the rollout waits for a person", R"(
metric errors = string
register 1.24 over 1.23
after 4m
expect slots errors error some, pass 0, fail 0
expect last errors an answer no condition can use: string
after 6m
expect paused
expect question no_answers
)"},
      {"argo_native_histogram_is_zero",
       "a native histogram is judged as the value 0; Flagger's process ends on it",
       "it is an error that says so, and nothing ends", R"(
metric errors = native histogram
register 1.24 over 1.23
after 4m
expect slots errors error some, pass 0, fail 0
metric errors = 0.01
after 6m
expect promoted
)"},
      {"argo_range_query_reaches_where_it_likes",
       "start and end of a range are expressions, also such as reach before the release",
       "a condition has one window, and its first slot lies a whole one after the beginning", R"(
  query = 'rate(errors[{{window}}]) > 0.05'
  window = "3m"
metric rate(errors[3m]) = 0.9
register 1.24 over 1.23
after 2m59s
expect slots errors none
after 3m
expect rolled_back
)"},
      {"argo_condition_is_an_expression",
       "conditions are a language of their own, in which a slip shows at run time",
       "a rule is one comparison, and anything else is refused when the configuration is read", R"(
  fail_if = "len(result) == 0 || result[0] > 0.05"
expect refused fail_if
)"},
      {"argo_default_does_not_help_an_empty_answer",
       "default() is for null, and an empty answer is not null",
       "on_no_data says what no data means: wait, fail or ignore", R"(
  on_no_data = "fail"
metric errors = no data
register 1.24 over 1.23
after 3m
expect rolled_back
expect slots errors no_data some, fail 0
)"},
      {"argo_condition_with_an_error_in_it_does_not_fail",
       "an error in either condition makes an error of what fails all the same",
       "failing wins: over a pass, and over a series that is not a number", R"(
  pass_if = "< 10"
  fail_if = "> 0.05"
metric errors > 0.05 = 0.9, nan
register 1.24 over 1.23
after 3m
expect rolled_back
)"},
      {"flagger_has_no_third_answer", "a check passes or fails",
       "between pass_if and fail_if an answer decides nothing, and is asked about after patience",
       R"(
  fail_if = "> 0.8"
  pass_if = "< 0.5"
metric errors > 0.05 = 0.6
register 1.24 over 1.23
after 7m
expect paused
expect question inconclusive
expect slots errors pass 0, fail 0
)"},
      {"peers_find_a_typo_at_run_time",
       "neither parses a query before the rollout runs, where it is a failure",
       "the metrics server is asked whether it can parse the query before anything begins", R"(
metric errors = bad query
register 1.24 over 1.23
expect answer refused: datasource default refuses the query
expect orders none
)"},
  };
}

}  // namespace rollwatch
