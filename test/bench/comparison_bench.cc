// What it costs to compare with stable: rollouts with thresholds and rollouts with `compare =
// "rate"` ask the same questions, as many of them in a second, and get the same answers. A
// threshold asks one question, or two with its evidence; a comparison asks four: events and bad
// events of each version.
//
//   rollwatch_bench_comparison [--questions N] [--interval SECONDS] [--slots N] [--pairs N]
//       [--seconds N] [--daemon PATH] [--json FILE]
//
// All daemons first run side by side until each comparison has seen so many slots and remembers as
// much as it ever will. Then they go on in turn, for a window each, from what is on their disks, as
// often as there are pairs. Answers are of one pod of each version, and of 2 and 20 pods: large
// answers have a cost of their own, whoever asks.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/bench/daemon_process.h"
#include "test/bench/evaluation_report.h"
#include "test/bench/findings.h"
#include "test/bench/options.h"
#include "test/bench/window.h"
#include "test/support/fake_server.h"

namespace rollwatch::bench {
namespace {

// What one comparison asks in a slot.
constexpr std::size_t kQuestions = 4;
constexpr double kMostAdded = 0.20;

struct Options {
  std::size_t questions = 1'000;  // an interval
  // As many slots as a comparison keeps for people (kKeptTicks), and its warm-up.
  std::size_t slots = 68;
  double interval = 1, seconds = 10;
  std::size_t pairs = 3;
  std::string daemon = ROLLWATCH_BENCH_DAEMON, json;

  Millis slot() const { return Millis{static_cast<Millis::rep>(interval * 1000)}; }
  // Rollouts that ask four questions each.
  std::size_t services() const { return (questions + kQuestions - 1) / kQuestions; }
};

std::string selector(std::string_view version, bool is_bad) {
  return fmt::format(R"(http_requests_total{{app="{{{{service}}}}",version="{{{{{}}}}}"{}}})",
                     version, is_bad ? R"(,code=~"5..")" : "");
}

std::string policy(const std::string& name, const Options& options) {
  return fmt::format("[policy.{}]\nduration = \"12h\"\ninterval = \"{}ms\"\n", name,
                     options.slot().count());
}

std::string condition(const std::string& policy, const std::string& name, const std::string& keys) {
  return fmt::format("[[policy.{}.condition]]\nname = \"{}\"\n{}", policy, name, keys);
}

// Counters have no limit, so every slot passes.
std::string threshold(const std::string& query) {
  return fmt::format("query = '{}'\nfail_if = \"> 1e15\"\n", query);
}

// Who asks: its policies, and the conditions of each rollout's.
struct Kind {
  std::string_view name, short_name;
  std::size_t policies;    // each has as many rollouts as there are services
  std::size_t conditions;  // questions of a rollout, as a load counts them
  std::string (*configuration)(const Options&);
};

std::string thresholds(const Options& options) {
  std::string text;
  for (std::size_t i = 0; i < kQuestions; ++i) {
    const std::string name = fmt::format("p{}", i);
    text +=
        policy(name, options) +
        condition(name, "asked", threshold(selector(i < 2 ? "candidate" : "stable", i % 2 == 1)));
  }
  return text;
}

std::string with_evidence(const Options& options) {
  std::string text = policy("p0", options);
  for (const char* version : {"candidate", "stable"})
    text += condition("p0", version,
                      threshold(selector(version, true)) +
                          fmt::format("evidence = '{}'\n", selector(version, false)));
  return text;
}

std::string comparisons(const Options& options) {
  return policy("p0", options) +
         condition("p0", "errors",
                   fmt::format("compare = \"rate\"\nevents = '{}'\nbad_events = '{}'\n",
                               selector("version", false), selector("version", true)));
}

constexpr Kind kThresholds{"thresholds", "plain", kQuestions, 1, thresholds};
constexpr Kind kWithEvidence{"thresholds with evidence", "evid.", 1, kQuestions, with_evidence};
constexpr Kind kComparisons{"comparisons", "compare", 1, kQuestions, comparisons};

// Whose counters are asked for.
struct Service {
  Service(std::size_t candidates, std::size_t stables, std::string called)
      : name(std::move(called)), short_name(fmt::format("{}+{}", candidates, stables)) {
    datasource.behave(fmt::format("answer=counters&candidates={}&stables={}", candidates, stables));
  }

  std::string name, short_name;
  DatasourceProcess datasource;
};

// A daemon with rollouts of one kind, that goes on where it was whenever it is started.
class Contestant {
 public:
  Contestant(const Kind& kind, Service& service, const Options& options)
      : name_(fmt::format("{}, {}", kind.name, service.name)),
        short_name_(fmt::format("{} {}", kind.short_name, service.short_name)),
        datasource_(service.datasource) {
    load_.rollouts = options.services() * kind.policies;
    load_.conditions = kind.conditions;
    load_.interval = options.slot();
    daemon_ = std::make_unique<DaemonProcess>(DaemonSettings{
        options.daemon, datasource_configuration("default", datasource_.url(), load_.pool) +
                            kind.configuration(options)});
    for (std::size_t i = 0; i < kind.policies; ++i) {
      auto ids = daemon_->register_rollouts(i * options.services(), options.services(),
                                            fmt::format("p{}", i));
      if (i == 0) last_ = ids.back();
    }
  }

  const std::string& name() const { return name_; }
  void stop() { daemon_->stop(); }

  void measure(const Options& options) {
    daemon_->start();
    datasource_.forget();
    sleep_for(4 * options.interval + 2);
    const double before = others_than_passes();
    Measurement measured = measure_window(daemon_->pid(), datasource_, load_, options.seconds);
    did_not_pass += others_than_passes() - before;
    compared = compared_slots();
    measured.name = short_name_;
    std::printf("%s", line(measured).c_str());
    std::fflush(stdout);
    measurements.push_back(std::move(measured));
    daemon_->stop();
  }

  // Of the rollout that was registered last: what its report says of its comparison, 0 if it has
  // none.
  double compared_slots() const {
    const std::string report =
        plain_http(daemon_->port(), "GET", "/api/v1/rollouts/" + last_ + "/report").body;
    const std::size_t comparison = report.find(R"("comparison":{)");
    const std::size_t at = report.find(R"("slots":)", comparison);
    return comparison == std::string::npos || at == std::string::npos
               ? 0
               : std::strtod(report.c_str() + at + 8, nullptr);
  }

  std::vector<Measurement> measurements;
  double did_not_pass = 0, compared = 0;

 private:
  double others_than_passes() const {
    const DaemonProcess::Metrics metrics = daemon_->metrics();
    return metrics.sum("evaluations_total") - metrics.sum("evaluations_total", R"(outcome="pass")");
  }

  std::string name_, short_name_;
  DatasourceProcess& datasource_;
  Load load_;
  std::unique_ptr<DaemonProcess> daemon_;
  std::string last_;
};

// What ours costs more than theirs, as a share of it, with the pairs' least and most.
Finding added(const std::string& what, const Contestant& ours, const Contestant& theirs) {
  const Ratio ratio = ratio_of(ours.measurements, theirs.measurements, &Measurement::cpu);
  Finding found{fmt::format("{} ({:.2f} to {:.2f})", what, ratio.least - 1, ratio.most - 1),
                ratio.median - 1, ""};
  return found;
}

Finding at_most_added(const std::string& what, const Contestant& ours, const Contestant& theirs,
                      std::optional<double> Finding::*limit) {
  Finding found = added(what, ours, theirs);
  const Ratio ratio = ratio_of(ours.measurements, theirs.measurements, &Measurement::cpu);
  if (ratio.against(1 + kMostAdded) == "unknown")
    found.what += ", the pairs do not agree";
  else
    found.*limit = kMostAdded;
  return found;
}

Finding cost(const Contestant& one) {
  return {"CPU for 1,000 questions, " + one.name(), median_of(one.measurements).cpu, "ms"};
}

void warm_up(const std::vector<Contestant*>& all, const Options& options) {
  sleep_for(options.interval * static_cast<double>(options.slots) + 1);
  for (Contestant* one : all) one->stop();
}

std::vector<Finding> compare(const Options& options) {
  Service one_pod(1, 1, "a pod each"), many_pods(2, 20, "2 and 20 pods");
  Contestant small_thresholds(kThresholds, one_pod, options);
  Contestant small_comparisons(kComparisons, one_pod, options);
  Contestant large_thresholds(kThresholds, many_pods, options);
  Contestant large_evidence(kWithEvidence, many_pods, options);
  Contestant large_comparisons(kComparisons, many_pods, options);
  const std::vector<Contestant*> all{&small_thresholds, &small_comparisons, &large_thresholds,
                                     &large_evidence, &large_comparisons};
  warm_up(all, options);
  std::printf("%s", heading().c_str());
  for (std::size_t pair = 0; pair < options.pairs; ++pair)
    for (Contestant* one : all) one->measure(options);

  std::vector<Finding> found;
  for (const Contestant* one : all) found.push_back(cost(*one));
  found.push_back(at_most_added("comparing adds, a pod each", small_comparisons, small_thresholds,
                                &Finding::must));
  found.push_back(at_most_added("comparing adds, 2 and 20 pods", large_comparisons,
                                large_thresholds, &Finding::must));
  // Who are closest: as many questions in a slot.
  found.push_back(at_most_added("comparing adds to thresholds with evidence", large_comparisons,
                                large_evidence, &Finding::aim));
  found.push_back(
      added("answers of 2 and 20 pods add to thresholds", large_thresholds, small_thresholds));
  found.push_back(
      added("both: beside thresholds of a pod each", large_comparisons, small_thresholds));
  double did_not_pass = 0;
  for (const Contestant* one : all) did_not_pass += one->did_not_pass;
  found.push_back({"slots that did not pass", did_not_pass, "", 0});
  found.push_back({"slots that a rollout has compared", large_comparisons.compared, ""});
  return found;
}

void benchmark(int argc, char** argv) {
  Options options;
  read_options(argc, argv,
               {{"--questions", &options.questions},
                {"--interval", &options.interval},
                {"--slots", &options.slots},
                {"--pairs", &options.pairs},
                {"--seconds", &options.seconds},
                {"--daemon", &options.daemon},
                {"--json", &options.json}});
  const std::string title =
      fmt::format("{} questions every {:g} s, {} pairs of {:g} s", options.services() * kQuestions,
                  options.interval, options.pairs, options.seconds);
  Findings findings;
  findings.add(title, compare(options));
  findings.write(options.json);
}

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) {
  return rollwatch::bench::run_benchmark("rollwatch_bench_comparison", rollwatch::bench::benchmark,
                                         argc, argv);
}
