// Holds analysis/statistics against numbers that were computed with 60 digits:
//
//   stat_vectors FILE      a line for each group of vectors; exit 1 on any miss
//
// A number passes within its tolerance, absolute or relative to what is wanted; everything else
// (whole numbers too) must be the same. Groups of a part that is not built are named and not
// counted.
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "analysis/statistics/counters.h"
#include "analysis/statistics/decide.h"
#include "analysis/statistics/gauge.h"
#include "analysis/statistics/histogram.h"
#include "analysis/statistics/log_space.h"
#include "analysis/statistics/mann_whitney.h"
#include "analysis/statistics/rate.h"
#include "analysis/statistics/rate_report.h"
#include "analysis/statistics/wealth.h"

namespace rollwatch::statistics {
namespace {

using Json = nlohmann::json;
using Numbers = std::vector<double>;

// ---- Numbers in and out: JSON has no infinity

double number(const Json& value) {
  if (value == "inf") return kInfinite;
  if (value == "-inf") return -kInfinite;
  if (value == "nan") return std::nan("");
  return value.get<double>();
}

Numbers numbers(const Json& list) {
  Numbers values;
  for (const Json& value : list) values.push_back(number(value));
  return values;
}

std::optional<double> maybe(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(number(value));
}

Json shown(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

template <class List>
Json shown_all(const List& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(shown(value));
  return list;
}

Side side_of(const Json& in) { return in["side"] == "ni" ? Side::kPromote : Side::kHarm; }

// ---- What each group asks
// clang-format off

Json wealth(const Json& in) {
  const WealthRules rules{in["w0"], in["s"], in["cap"].is_null() ? kInfinite : number(in["cap"])};
  Wealth wealth = Wealth::start(rules, in["J"]);
  Json log_w = Json::array();
  for (const Json& tick : in["l"]) {
    if (!tick.is_null()) wealth.update(rules, numbers(tick));
    log_w.push_back(shown(wealth.log_evidence));
  }
  Numbers capital{wealth.cash};
  capital.insert(capital.end(), wealth.stakes.begin(), wealth.stakes.begin() + wealth.bets);
  return {{"logW", log_w}, {"logWmax", wealth.log_most}, {"p", wealth.p_value()},
          {"logL", shown_all(capital)}};
}

Json rate_increment(const Json& in) {
  const RateTick tick{{in["n_c"], in["e_c"]}, {in["n_b"], in["e_b"]}};
  const auto bets = rate_bets(tick, side_of(in), {in["theta"], in["delta"]}, in["phi"]);
  if (!bets) return {{"skip", true}, {"x", nullptr}, {"y", nullptr}, {"l", nullptr}};
  return {{"skip", false}, {"x", shown_all(bets->x)}, {"y", shown_all(bets->y)},
          {"l", shown_all(bets->increments)}};
}

std::vector<FedTick> fed_ticks(const Json& ticks) {
  std::vector<FedTick> fed;
  for (const Json& tick : ticks)
    fed.push_back({{{tick[0], tick[1]}, {tick[2], tick[3]}}, tick[4].get<double>()});
  return fed;
}

// Through the whole state; the dispersion of each tick is given, so it is stated.
Json rate_eprocess(const Json& in) {
  RateState state = RateState::start();
  const bool is_harm = side_of(in) == Side::kHarm;
  const Tolerance tolerance{in["theta"], in["delta"]};
  const double alpha = in["alpha"];
  Json log_w = Json::array();
  Json first = nullptr;
  const Wealth& wealth = is_harm ? state.harm : state.promote;
  for (const auto& [tick, dispersion] : fed_ticks(in["ticks"])) {
    const RateRules rules{tolerance, tolerance, {DispersionMode::kFixed, dispersion}};
    state.update(rules, tick, {});
    log_w.push_back(shown(wealth.log_evidence));
    if (first.is_null() && wealth.reaches(alpha)) first = log_w.size();
  }
  return {{"logW", log_w}, {"logWmax", wealth.log_most}, {"p", wealth.p_value()},
          {"first_tick_at_alpha", first}};
}

Json rate_cs(const Json& in) {
  const RateIntervals intervals = rate_intervals(fed_ticks(in["ticks"]), in["alpha"]);
  return {{"ratio", {shown(intervals.ratio.low), shown(intervals.ratio.high)}},
          {"diff", {shown(intervals.difference.low), shown(intervals.difference.high)}}};
}

Json dispersion(const Json& in) {
  const std::string mode = in["mode"];
  DispersionRules rules;
  rules.mode = mode == "successive" ? DispersionMode::kSuccessive : DispersionMode::kSeries;
  rules.prior = in["phi0"];
  rules.prior_weight = in["kappa"];
  Dispersion state;
  if (mode == "score") {
    const Numbers psi = numbers(in["ticks"]["psi"]);
    for (const Json& tick : in["ticks"]["ticks"]) {
      Numbers counts;
      for (const Json& series : tick)
        for (const Json& count : series) counts.push_back(count);
      state.update_score(rules, psi, counts);
    }
  } else {
    for (const Json& tick : in["ticks"]) {
      std::vector<ArmCounts> series;
      if (mode == "successive")
        series.push_back({tick[0], tick[1]});
      else
        for (const Json& one : tick) series.push_back({one[0], one[1]});
      state.update(rules, series);
    }
  }
  return {{"X", state.squares}, {"N", state.degrees}, {"phi", state.factor(rules)}};
}

Json transport(const Json& in) {
  const HistogramScale scale(numbers(in["le"]), in["m"]);
  Json rows = Json::array();
  for (std::size_t j = 0; j < scale.buckets(); ++j)
    rows.push_back(shown_all(scale.moved().subspan(j * scale.buckets(), scale.buckets())));
  return {{"S", rows}};
}

Json hist_increment(const Json& in) {
  const HistogramScale scale(numbers(in["le"]), in["m"]);
  const Numbers history = numbers(in["H"]);
  double seen = 0;
  for (const double count : history) seen += count;
  if (seen == 0) return {{"skip", true}};
  Numbers ranks_candidate, ranks_stable;
  scale.ranks(history, ranks_candidate, ranks_stable);
  Score score{ranks_candidate, ranks_stable};
  if (in["score"] != "rank") {
    const std::size_t k = in["score"];
    score = {scale.above(k), scale.slowed_above(k)};
    score.guess = guess_above(history, score.stable);
  }
  Json out{
      {"skip", false}, {"psi_c", shown_all(score.candidate)}, {"psi_b", shown_all(score.stable)}};
  const auto bets = score_bets(score, numbers(in["c"]), numbers(in["b"]), side_of(in),
                               {in["m"], in["theta"], in["delta"]}, in["phi"]);
  out["skip"] = !bets;
  if (!bets) return out;
  out["q_c"] = bets->guess_candidate;
  out["q_b"] = bets->guess_stable;
  out["x"] = shown_all(bets->x);
  out["y"] = shown_all(bets->y);
  out["l"] = shown_all(bets->increments);
  return out;
}

Json hist_eprocess(const Json& in) {
  const Numbers bounds = numbers(in["le"]);
  const LatencyTolerance tolerance{in["m"], in["theta"], in["delta"]};
  const HistogramRules rules{
      tolerance, tolerance, in["rank_weight"], {DispersionMode::kFixed, in["phi"].get<double>()}};
  const HistogramScales scales(rules, bounds);
  HistogramState state = HistogramState::start(bounds);
  state.observe(rules, scales, numbers(in["H0"]));
  const bool is_harm = side_of(in) == Side::kHarm;
  const auto parts = [&] {
    Numbers all;
    for (const ScoreState& score : state.scores)
      all.push_back(is_harm ? score.harm.log_evidence : score.promote.log_evidence);
    return all;
  };
  Json log_e = Json::array();
  for (const Json& tick : in["ticks"]) {
    state.update(rules, scales, numbers(tick[0]), numbers(tick[1]));
    log_e.push_back(
        shown(is_harm ? state.log_evidence(rules) : mean_evidence(parts(), rules.rank_weight)));
  }
  return {{"logE", log_e}, {"last_parts", shown_all(parts())}};
}

Json gauge_eprocess(const Json& in) {
  GaugeRules rules;
  rules.mode = in["mode"] == "ratio" ? GaugeMode::kRatio : GaugeMode::kDifference;
  rules.larger_is_worse = in["direction"] == 1;
  rules.margin = rules.promote_margin = in["margin"];
  const bool is_harm = side_of(in) == Side::kHarm;
  GaugeState state = GaugeState::start();
  const Wealth& wealth = is_harm ? state.harm : state.promote;
  Json rows = Json::array();
  for (const Json& pair : in["pairs"]) {
    const auto updated = pair.is_null() ? state.update(rules, std::nullopt, std::nullopt)
                                        : state.update(rules, maybe(pair[0]), maybe(pair[1]));
    if (updated.use != Use::kFed)
      rows.push_back({{"skip", true}, {"logW", wealth.log_evidence}});
    else
      rows.push_back({{"d", updated.difference},
                      {"psi", is_harm ? updated.clipped : updated.clipped_promote},
                      {"rho", updated.correlation},
                      {"logW", wealth.log_evidence}});
  }
  return {{"rows", rows}, {"logWmax", wealth.log_most}, {"p", wealth.p_value()}};
}

Json asymp_cs(const Json& in) {
  const MeanLimits limits = mean_limits(numbers(in["values"]), in["alpha"]).value();
  return {{"mean", limits.mean}, {"var_pop", limits.variance},
          {"two_sided", {limits.low, limits.high}}, {"one_sided_lower", limits.at_least}};
}

Json combined(const Json& in) {
  return {{"logE", shown(combine(numbers(in["logE"]), numbers(in["weights"])))}};
}

Json decision(const Json& in) {
  std::vector<ComparedMetric> metrics;
  for (std::size_t i = 0; i < in["logE"].size(); ++i)
    metrics.push_back({number(in["logE"][i]), in["weights"][i], number(in["logE_ni"][i]),
                       in["samples"][i], in["min_samples"]});
  DecisionRules rules;
  rules = {in["alpha"],
           in["alpha_hold"],
           in["alpha_promote"],
           in["early_promote"],
           in["nodata_limit"],
           in["min_ticks"],
           in["max_ticks"],
           in["final"] == "no-harm" ? AtTheEnd::kPromoteIfNoHarm : AtTheEnd::kPauseIfInconclusive};
  Standing standing;
  standing.tick = in["tick"];
  standing.ticks_without_data = in["nodata_streak"];
  standing.guard_breached = in["guard"];
  const Decision decided = decide(rules, metrics, standing);
  // In the order of the enumerators.
  static constexpr std::array kActions{"CONTINUE", "PAUSE", "PROMOTE", "ROLLBACK"};
  static constexpr std::array kReasons{"",           "guard",        "evidence", "nodata",
                                       "suspicious", "non-inferior", "no-harm",  "inconclusive"};
  return {{"action", kActions[static_cast<std::size_t>(decided.advice)]},
          {"reason", kReasons[static_cast<std::size_t>(decided.because)]},
          {"logE", decided.log_evidence}};
}

Json counter_delta(const Json& in) {
  CounterTable table = CounterTable::start(1);
  Increments increments;
  Json deltas = Json::array();
  SysTime at{};
  for (const Json& sample : in["samples"]) {
    std::vector<CounterSample> samples;
    if (!sample.is_null()) samples.push_back({kUnknownSource, 7, 0, number(sample)});
    table.update(at += Millis(30'000), samples, increments);
    deltas.push_back(increments.sources.empty() ? Json() : Json(increments.total(0)));
  }
  return {{"delta", deltas}};
}

Json mann_whitney_all(const Json& in) {
  const MannWhitney test = mann_whitney(numbers(in["x"]), numbers(in["y"]), in["conf"]).value();
  Json interval = nullptr;
  if (test.interval) interval = {test.interval->low, test.interval->high};
  return {{"U", test.u}, {"p_two_sided", test.p_two_sided}, {"p_greater", test.p_greater},
          {"p_less", test.p_less}, {"hl", test.shift}, {"cles", test.larger_in_pairs},
          {"mean_ratio", shown(test.mean_ratio)}, {"ci", interval}};
}

const std::map<std::string, std::function<Json(const Json&)>> kGroups{
    {"wealth", wealth}, {"rate_increment", rate_increment}, {"rate_eprocess", rate_eprocess},
    {"rate_cs", rate_cs}, {"dispersion", dispersion}, {"transport", transport},
    {"hist_increment", hist_increment}, {"hist_eprocess", hist_eprocess}, {"combine", combined},
    {"gauge_eprocess", gauge_eprocess}, {"asymp_cs", asymp_cs}, {"decide", decision},
    {"counter_delta", counter_delta}, {"mann_whitney", mann_whitney_all}};
// clang-format on

// Kayenta's judge, for those who compare with it.
const std::vector<std::string> kNotBuilt{"iqr_fences", "kayenta_metric", "kayenta_score"};

// ---- Holding one against the other

// How many tolerances apart they are: at most 1 passes. `where` becomes the place of the worst.
double apart(const Json& got, const Json& want, double tolerance, const std::string& path,
             std::string& where) {
  double worst = 0;
  const auto take = [&](double one, const std::string& at) {
    if (one > worst) worst = one;
    if (one > 1 && where.empty()) where = at;
  };
  if (want.is_number_float() && got.is_number()) {
    const double error = std::fabs(got.get<double>() - want.get<double>());
    const double allowed = tolerance * std::max(1.0, std::fabs(want.get<double>()));
    take(std::isnan(error) ? kInfinite : error / allowed,
         path + ": " + got.dump() + " and not " + want.dump());
  } else if (want.is_object() && got.is_object() && want.size() == got.size()) {
    for (const auto& [key, value] : want.items()) {
      const bool is_there = got.contains(key);
      take(is_there ? apart(got[key], value, tolerance, path + "." + key, where) : kInfinite,
           path + "." + key + " is missing");
    }
  } else if (want.is_array() && got.is_array() && want.size() == got.size()) {
    for (std::size_t i = 0; i < want.size(); ++i)
      take(apart(got[i], want[i], tolerance, path + "[" + std::to_string(i) + "]", where), path);
  } else if (got != want) {
    take(kInfinite, path + ": " + got.dump() + " and not " + want.dump());
  }
  return worst;
}

// Whether all of the group pass; says so in a line, and each miss in one more.
bool passes(const std::string& name, const Json& vectors) {
  const auto group = kGroups.find(name);
  double worst = 0;
  std::vector<std::string> misses;
  for (const Json& vector : vectors) {
    const std::string id = vector["id"];
    if (group == kGroups.end()) {
      misses.push_back(id + ": nobody knows this group");
      continue;
    }
    std::string where;
    double distance = kInfinite;
    try {
      distance = apart(group->second(vector["in"]), vector["out"], vector["tol"], "out", where);
    } catch (const std::exception& error) {
      where = error.what();
    }
    worst = std::max(worst, distance);
    if (distance > 1) misses.push_back(id + ": " + where);
  }
  std::printf("%-16s %3zu of %3zu pass, the worst at %.2g of its tolerance\n", name.c_str(),
              vectors.size() - misses.size(), vectors.size(), worst);
  for (const std::string& miss : misses) std::printf("  %s\n", miss.c_str());
  return misses.empty();
}

int run(const char* path) {
  std::ifstream file(path);
  const Json document = Json::parse(file, nullptr, false);
  if (document.is_discarded() || !document.contains("vectors")) {
    std::fprintf(stderr, "stat_vectors: %s holds no vectors\n", path);
    return 1;
  }
  const Json& vectors = document["vectors"];
  bool all = true;
  for (const auto& [name, group] : vectors.items()) {
    if (std::find(kNotBuilt.begin(), kNotBuilt.end(), name) != kNotBuilt.end())
      std::printf("%-16s left out: Kayenta's judge is not built\n", name.c_str());
    else
      all = passes(name, group) && all;
  }
  for (const auto& [name, group] : kGroups) {
    if (vectors.contains(name) && !vectors[name].empty()) continue;
    std::printf("%-16s is missing\n", name.c_str());
    all = false;
  }
  return all ? 0 : 1;
}

}  // namespace
}  // namespace rollwatch::statistics

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("stat_vectors FILE\n", stderr);
    return 64;
  }
  return rollwatch::statistics::run(argv[1]);
}
