// How long Rollwatch takes from a decision to the webhook that tells it, beside the real
// Alertmanager in the same run. Both get alerts that each become one webhook; what stands between
// is Alertmanager's grouping there, and here a rollback: decided, explained, committed with
// synchronous=FULL, signed, sent.
//
//   rollwatch_bench_delivery [--rounds N] [--alone N] [--bursts N] [--at-once N]
//
// Each round measures every contender, in turn from the first and from the last; ratios are of one
// round, and what is printed are medians over the rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "daemon/http/client.h"
#include "test/bench/engine_contender.h"
#include "test/bench/report.h"
#include "test/bench/server_contenders.h"

namespace rollwatch::bench {
namespace {

struct Options {
  std::size_t rounds = 5;
  std::size_t alone = 100;  // events one at a time, in each round
  std::size_t bursts = 3;   // in each round
  std::size_t at_once = 100;
};

// Between two measurements, for everybody: what a delivery leaves behind is over by then.
constexpr std::chrono::milliseconds kPause{3};
constexpr std::string_view kPrefix = "bench-";
constexpr std::size_t kDigits = 6;

std::vector<std::string> new_services(std::size_t count) {
  static std::size_t last = 0;
  std::vector<std::string> services;
  for (std::size_t i = 0; i < count; ++i) {
    std::string number = std::to_string(++last);
    services.push_back(std::string(kPrefix) + std::string(kDigits - number.size(), '0') + number);
  }
  return services;
}

// The service a webhook is about, whoever sent it. That a rollout has begun is not what is timed.
std::string service_in(std::string_view body) {
  if (body.find("\"rollout.advance\"") != std::string_view::npos) return "";
  const std::size_t at = body.find(kPrefix);
  return at == std::string_view::npos ? "" : std::string(body.substr(at, kPrefix.size() + kDigits));
}

void append(std::vector<Latencies>& to, std::vector<Latencies> more) {
  if (to.empty()) {
    to = std::move(more);
    return;
  }
  for (std::size_t i = 0; i < more.size(); ++i)
    to[i].milliseconds.insert(to[i].milliseconds.end(), more[i].milliseconds.begin(),
                              more[i].milliseconds.end());
}

std::vector<Latencies> measure(Contender& contender, std::size_t times, std::size_t at_once) {
  std::vector<Latencies> all;
  for (std::size_t i = 0; i < times; ++i) {
    const std::vector<std::string> services = new_services(at_once);
    contender.prepare(services);
    std::this_thread::sleep_for(kPause);
    append(all, contender.fire(services));
  }
  return all;
}

void add(Row::Percentiles& to, const std::vector<double>& milliseconds) {
  to.p50.push_back(percentile(milliseconds, 50));
  to.p99.push_back(percentile(milliseconds, 99));
}

std::vector<Row> measure_all(const std::vector<std::unique_ptr<Contender>>& contenders,
                             const Options& options) {
  std::vector<std::vector<Row>> rows(contenders.size());
  for (const auto& contender : contenders) {  // connections, caches, lazily started parts
    measure(*contender, 1, options.at_once);
    measure(*contender, 3, 1);
  }
  for (std::size_t round = 0; round < options.rounds; ++round) {
    for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
      const std::size_t who = round % 2 == 0 ? turn : contenders.size() - 1 - turn;
      const auto alone = measure(*contenders[who], options.alone, 1);
      const auto at_once = measure(*contenders[who], options.bursts, options.at_once);
      rows[who].resize(alone.size());
      for (std::size_t i = 0; i < alone.size(); ++i) {
        rows[who][i].from = alone[i].from;
        add(rows[who][i].alone, alone[i].milliseconds);
        add(rows[who][i].at_once, at_once[i].milliseconds);
      }
    }
  }
  std::vector<Row> all;
  for (std::vector<Row>& some : rows)
    for (Row& row : some) all.push_back(std::move(row));
  return all;
}

Options options_of(int argc, char** argv) {
  Options options;
  const std::map<std::string_view, std::size_t*> known = {{"--rounds", &options.rounds},
                                                          {"--alone", &options.alone},
                                                          {"--bursts", &options.bursts},
                                                          {"--at-once", &options.at_once}};
  for (int i = 1; i < argc; i += 2) {
    const auto found = known.find(argv[i]);
    const unsigned long value = i + 1 < argc ? std::strtoul(argv[i + 1], nullptr, 10) : 0;
    if (found == known.end() || value == 0)
      throw std::invalid_argument(
          "usage: rollwatch_bench_delivery [--rounds N] [--alone N] [--bursts N] [--at-once N]");
    *found->second = value;
  }
  return options;
}

void measure_and_report(const Options& options) {
  const HttpClientLibrary library;
  WebhookReceiver receiver(service_in);
  std::vector<std::unique_ptr<Contender>> contenders;
  contenders.push_back(std::make_unique<Nobody>(receiver));
  contenders.push_back(std::make_unique<EngineContender>(receiver));
  contenders.push_back(std::make_unique<Rollwatchd>(receiver, ROLLWATCH_BENCH_DAEMON));
  contenders.push_back(std::make_unique<Alertmanager>(receiver));  // the peer: last
  const std::vector<Row> rows = measure_all(contenders, options);
  std::printf(
      "%zu rounds of %zu one at a time and %zu times %zu at once; medians over rounds\n\n%s",
      options.rounds, options.alone, options.bursts, options.at_once,
      report(rows, options.at_once).c_str());
}

}  // namespace
}  // namespace rollwatch::bench

int main(int argc, char** argv) {
  try {
    rollwatch::bench::measure_and_report(rollwatch::bench::options_of(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rollwatch_bench_delivery: %s\n", error.what());
    return 1;
  }
}
