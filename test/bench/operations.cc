#include "test/bench/operations.h"

#include <memory>
#include <stdexcept>
#include <utility>

#include "analysis/advance.h"
#include "analysis/compare/see.h"
#include "analysis/judge.h"
#include "analysis/plan.h"
#include "analysis/promql/query_template.h"
#include "analysis/render.h"
#include "analysis/slots.h"
#include "analysis/state_codec.h"
#include "analysis/statistics/codec.h"
#include "analysis/statistics/histogram.h"
#include "analysis/statistics/rate.h"
#include "daemon/prometheus/answer_parser.h"

namespace rollwatch::bench {
namespace {

constexpr Millis kInterval{10'000};

// An answer as a server writes it, of so many series.
std::shared_ptr<const std::string> body(std::size_t series) {
  std::string text = R"({"status":"success","data":{"resultType":"vector","result":[)";
  for (std::size_t i = 0; i < series; ++i)
    text += std::string(i == 0 ? "" : ",") + R"({"metric":{"service":"s)" + std::to_string(i) +
            R"(","version":"1.24"},"value":[1767323045.678,"0.0123"]})";
  return std::make_shared<const std::string>(text + "]}}");
}

promql::QueryTemplate query_of(std::string_view text) {
  auto query = promql::parse_query_template(text);
  if (!query) throw std::logic_error("the query of the benchmark is none");
  return *std::move(query);
}

// A rollout that has been watched for a while, and the answer of its next slot.
struct Watched {
  Watched() {
    ThresholdCondition kind{
        query_of(
            R"(sum(rate(http_requests_total{app="{{service}}",version="{{candidate}}",code=~"5.."}[{{window}}])))"),
        Rule{}, Reduce::kEach, std::nullopt, 100};
    kind.rule.fail_if = Comparison{CompareOp::kGreater, 0.05};
    plan.steps = {{std::nullopt, Millis{3'600'000}, false}};
    plan.conditions = {{.name = "error-rate",
                        .kind = std::move(kind),
                        .interval = kInterval,
                        .timeout = std::nullopt,
                        .steps = {}}};
    spec.id = "ro_01jgkqzv3m000000000000";
    spec.ns = "payments";
    spec.service = "checkout";
    spec.target = "eu-1";
    spec.stable = "1.23";
    spec.candidate = "1.24";
    state = registered({spec, plan}, now).state;
    state = advance({spec, plan}, state, Begin{}, now).state;
    for (int i = 0; i < 20; ++i) state = advance({spec, plan}, state, next(), now).state;
    input = next();
  }

  // The next slot is answered, and it is its time.
  SlotAnswered next() {
    const ConditionState& condition = state.conditions.front();
    const std::int64_t slot = next_slot(plan.conditions.front(), condition, Millis{0}).value();
    now = grid_of(plan.conditions.front(), condition).at(slot);
    return {0, slot, now, parse_answer("default", 200, "application/json", body(1)), std::nullopt};
  }

  SysTime now{Millis{1'767'323'045'678}};
  Plan plan;
  RolloutSpec spec;
  RolloutState state;
  Input input;
};

// A rollout whose condition compares rates, after thirty slots: two pods of the candidate and
// twenty of stable, whose counters come back in four answers.
struct WatchedComparison {
  WatchedComparison() {
    CompareCondition kind{query_of(R"(http_requests_total{version="{{version}}"})"),
                          query_of(R"(http_requests_total{version="{{version}}",code=~"5.."})"),
                          rules()};
    kind.warmup = 2 * kInterval;
    kind.early_promote = true;
    plan.steps = {{std::nullopt, Millis{3'600'000}, false}};
    plan.conditions = {{.name = "errors",
                        .kind = std::move(kind),
                        .interval = kInterval,
                        .timeout = std::nullopt,
                        .steps = {}}};
    spec.id = "ro_01jgkqzv3m000000000000";
    spec.ns = "payments";
    spec.service = "checkout";
    spec.stable = "1.23";
    spec.candidate = "1.24";
    state = registered({spec, plan}, now).state;
    state = advance({spec, plan}, state, Begin{}, now).state;
    for (int i = 0; i < 32; ++i) state = advance({spec, plan}, state, next(), now).state;
    input = next();
  }

  // The candidate is at the edge of both: neither ever has enough evidence to end this.
  static statistics::RateRules rules() {
    statistics::RateRules rules;
    rules.margin = rules.tolerance;
    return rules;
  }
  SlotAnswered next() {
    const ConditionState& condition = state.conditions.front();
    const std::int64_t slot = next_slot(plan.conditions.front(), condition, Millis{0}).value();
    now = grid_of(plan.conditions.front(), condition).at(slot);
    ++served;
    SlotAnswered answered{0, slot, now, {}, std::nullopt};
    answered.arms = {counters("candidate", 2, 500), counters("candidate", 2, 3.375),
                     counters("stable", 20, 500), counters("stable", 20, 2.5)};
    return answered;
  }
  ComparedSlot compared() const {
    const auto& answered = std::get<SlotAnswered>(input);
    const auto arm = [&answered](std::size_t first) {
      return ArmAnswers{&answered.arms[first], &answered.arms[first + 1]};
    };
    return {answered.evaluated_at, arm(0), arm(2)};
  }

  // Of each pod, so much in each slot: some pods a little more than others.
  Answer counters(const std::string& version, int pods, double each) const {
    std::vector<Series> series;
    for (int pod = 0; pod < pods; ++pod) {
      const double value = served * each * (1 + 0.1 * (pod % 3));
      series.push_back({{{"instance", "10.0.3." + std::to_string(pod) + ":8080"},
                         {"job", "checkout"},
                         {"pod", "checkout-" + version + "-6c9f7b5d4f-" + std::to_string(pod)},
                         {"version", version}},
                        value});
    }
    return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
  }

  SysTime now{Millis{1'767'323'045'678}};
  int served = 0;
  Plan plan;
  RolloutSpec spec;
  RolloutState state;
  Input input;
};

std::size_t parsed(const std::shared_ptr<const std::string>& body) {
  const Answer answer = parse_answer("default", 200, "application/json", body);
  return std::get<Vector>(answer.result).series.size();
}

// A comparison in the middle of a rollout: 19 pods of stable, whose dispersion is learnt as well.
struct ComparedRate {
  ComparedRate() {
    for (std::size_t pod = 0; pod < 19; ++pod) pods.push_back({500, pod % 3 == 0 ? 2.0 : 3.0});
    tick = {{500, 4}, statistics::sum_of(pods)};
    for (int slot = 0; slot < 30; ++slot) state.update(rules, tick, pods);
  }

  statistics::RateRules rules;
  statistics::RateTick tick;
  std::vector<statistics::ArmCounts> pods;
  statistics::RateState state = statistics::RateState::start();
};

// Eleven boundaries, as clients have them by default, and three pods.
struct ComparedLatency {
  ComparedLatency() {
    for (int slot = 0; slot < 30; ++slot) state.observe(rules, scales, pods);
  }

  static std::vector<double> latencies(double requests) {
    std::vector<double> counts;
    for (const double share : {.01, .02, .07, .15, .25, .25, .15, .06, .02, .01, .006, .004})
      counts.push_back(requests * share);
    return counts;
  }
  static std::vector<double> three(const std::vector<double>& one) {
    std::vector<double> all;
    for (int pod = 0; pod < 3; ++pod) all.insert(all.end(), one.begin(), one.end());
    return all;
  }

  statistics::HistogramRules rules;
  std::vector<double> bounds{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
  statistics::HistogramScales scales{rules, bounds};
  std::vector<double> candidate = latencies(500), pods = three(latencies(3000));
  statistics::HistogramState state = statistics::HistogramState::start(bounds);
};

}  // namespace

std::vector<Operation> operations() {
  const auto watched = std::make_shared<const Watched>();
  const auto comparing = std::make_shared<const WatchedComparison>();
  const Fixed fixed{watched->spec, watched->plan};
  const auto& condition = watched->plan.conditions.front();
  const auto& query = std::get<ThresholdCondition>(condition.kind).query;
  const auto& answer = std::get<SlotAnswered>(watched->input).value;
  return {
      {"parse_one", [one = body(1)] { return parsed(one); }},
      {"parse_thousand", [thousand = body(1'000)] { return parsed(thousand); }},
      {"render",
       [watched, fixed, &condition, &query] {
         return render_query(query, fixed.spec, condition, 0, std::nullopt).value().size();
       }},
      {"judge",
       [watched, &condition, &answer] {
         const Judgement judged = judge(condition, answer, nullptr, {watched->now, std::nullopt});
         return static_cast<std::size_t>(judged.outcome) + judged.series.size();
       }},
      {"advance",
       [watched, fixed] {
         const Transition step = advance(fixed, watched->state, watched->input, watched->now);
         return step.evaluations.size() + step.state.evaluations;
       }},
      {"encode_state", [watched] { return encode_state(watched->state).size(); }},
      {"rate_update",
       [compared = ComparedRate()] {
         statistics::RateState state = compared.state;
         state.update(compared.rules, compared.tick, compared.pods);
         return static_cast<std::size_t>(state.fed + state.harm.updates);
       }},
      {"rate_encode", [compared = ComparedRate()] { return encode(compared.state).size(); }},
      {"histogram_update",
       [compared = ComparedLatency()] {
         statistics::HistogramState state = compared.state;
         state.update(compared.rules, compared.scales, compared.candidate, compared.pods);
         return static_cast<std::size_t>(state.fed);
       }},
      {"compare_see",
       [comparing] {
         const CompareCondition& condition = *comparison_of(comparing->plan.conditions.front());
         const auto* before = comparing->state.conditions.front().memory.comparison();
         return see(condition, before, comparing->compared()).state.fed.size();
       }},
      {"compare_slot",
       [comparing] {
         const Fixed its{comparing->spec, comparing->plan};
         const Transition step = advance(its, comparing->state, comparing->input, comparing->now);
         return step.evaluations.size() + encode_state(step.state).size();
       }},
  };
}

}  // namespace rollwatch::bench
