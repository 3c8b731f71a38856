// How late samples come, as Debian's Prometheus and VictoriaMetrics tell it: the same targets in
// both, with a lag that is known because nothing newer is there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "daemon/prometheus/ingestion_lag.h"
#include "daemon/prometheus/measured_delays.h"
#include "daemon/prometheus/prometheus_source.h"
#include "test/prometheus/describe.h"
#include "test/support/fake_server.h"
#include "test/support/manual_clock.h"
#include "test/support/real_servers.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

const HttpClientLibrary library;

// So many targets, scraped that often, whose samples come that late; their scrapes are spread
// evenly over the interval. Watched for `span` before.
struct Targets {
  int count;
  int interval;
  int lag;
  int span = 1'500;
};

// One after the other in time, so that all fit into one server; each is looked at from its own now.
struct Scene {
  const char* name;
  std::vector<Targets> targets;
  std::optional<double> least, most;  // what is measured lies in between; none: nothing is
};

const std::vector<Scene> kScenes = {
    {"no lag", {{20, 15, 0}}, -1, 1},
    {"no lag, seldom scraped", {{20, 60, 0}}, -4, 4},
    {"90 s", {{20, 15, 90}}, 88.5, 91.5},
    {"90 s, seldom scraped", {{20, 60, 90}}, 85, 95},
    {"more than four minutes", {{20, 15, 270}}, 267, 275},
    {"half of them come late", {{20, 15, 0}, {20, 30, 90}}, 84, 91},
    {"one of twenty is stuck", {{19, 15, 2}, {1, 15, 200}}, 0, 5},
    {"of two intervals", {{15, 15, 20}, {5, 60, 20}}, 17, 27},
    {"one target alone, in the middle of its interval", {{1, 30, 40}}, 25, 29},
    {"some are young", {{20, 15, 30}, {10, 15, 30, 120}}, 28.5, 31.5},
    {"all are young", {{20, 15, 30, 300}}, std::nullopt, std::nullopt},
    {"there are none", {}, std::nullopt, std::nullopt},
};

constexpr std::int64_t kStart = 1'767'323'040;

SysTime now_of(std::size_t scene) {
  return SysTime{std::chrono::seconds(kStart + 3'600 * static_cast<std::int64_t>(scene))};
}

// `unit`: of the timestamps, in milliseconds.
std::string samples(double unit) {
  std::string text;
  for (std::size_t scene = 0; scene < kScenes.size(); ++scene) {
    int number = 0;
    for (const Targets& targets : kScenes[scene].targets) {
      for (int i = 0; i < targets.count; ++i) {
        const double phase = targets.interval * (i + 0.5) / targets.count;
        const double newest = static_cast<double>(now_of(scene).time_since_epoch().count()) / 1e3 -
                              targets.lag - phase;
        std::vector<double> times;
        for (double at = newest; at > newest - targets.span; at -= targets.interval)
          times.push_back(at);
        for (auto at = times.rbegin(); at != times.rend(); ++at) {
          char line[160];
          std::snprintf(line, sizeof line, "up{scene=\"%zu\",instance=\"%d\"} 1 %.*f\n", scene,
                        number, unit == 1 ? 0 : 3, *at * 1e3 / unit);
          text += line;
        }
        ++number;
      }
    }
  }
  return text;
}

class RealLagTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    prometheus_ = std::make_unique<RealPrometheus>(
        "global: {}\n", "# TYPE up gauge\n" + samples(1'000) + "# EOF\n");
    victoria_ = std::make_unique<RealVictoriaMetrics>();
    victoria_->import(samples(1));
  }
  static void TearDownTestSuite() {
    prometheus_.reset();
    victoria_.reset();
  }

  static std::map<std::string, Datasource> datasources() {
    std::map<std::string, Datasource> all;
    all["prometheus"].url = prometheus_->url();
    all["victoria"].url = victoria_->url();
    for (auto& [name, source] : all) source.timeout = Millis{60'000};
    return all;
  }

  static std::unique_ptr<RealPrometheus> prometheus_;
  static std::unique_ptr<RealVictoriaMetrics> victoria_;
  net::io_context io_;
};

std::unique_ptr<RealPrometheus> RealLagTest::prometheus_;
std::unique_ptr<RealVictoriaMetrics> RealLagTest::victoria_;

TEST_F(RealLagTest, TheLagIsToldFromTheScrapes) {
  ManualClock clock(io_);
  PrometheusSource source(io_.get_executor(), clock, datasources());
  for (const char* server : {"prometheus", "victoria"}) {
    for (std::size_t scene = 0; scene < kScenes.size(); ++scene) {
      SCOPED_TRACE(std::string(server) + ": " + kScenes[scene].name);
      std::vector<Question> questions(1);
      questions[0].datasource = server;
      questions[0].query = lag_query();
      questions[0].time = now_of(scene);
      std::optional<Answer> answer;
      source.ask(std::move(questions),
                 [&](std::size_t, Answer given) { answer = std::move(given); });
      run_until(io_, [&] { return answer.has_value(); });
      const auto lag = lag_of(*answer);
      ASSERT_FALSE(std::holds_alternative<QueryFailure>(answer->result)) << describe(*answer);
      ASSERT_EQ(lag.has_value(), kScenes[scene].least.has_value()) << describe(*answer);
      if (!lag) continue;
      const double seconds = static_cast<double>(lag->count()) / 1e3;
      EXPECT_GE(seconds, *kScenes[scene].least);
      EXPECT_LE(seconds, *kScenes[scene].most);
    }
  }
}

TEST_F(RealLagTest, ItBecomesTheDelay) {
  std::size_t scene = 0;
  while (std::string(kScenes[scene].name) != "90 s") ++scene;
  ManualClock clock(io_, now_of(scene));
  PrometheusSource source(io_.get_executor(), clock, datasources());
  MeasuredDelays delays(io_.get_executor(), clock, source, [] { return 0.5; });
  delays.measure({"prometheus", "victoria"});
  for (const char* server : {"prometheus", "victoria"}) {
    run_until(io_, [&] { return delays.ingestion_delay(server) != IngestionLag::kUnmeasured; });
    EXPECT_GE(delays.ingestion_delay(server), Millis{89'000}) << server;
    EXPECT_LE(delays.ingestion_delay(server), Millis{92'000}) << server;
  }
}

}  // namespace
}  // namespace rollwatch
