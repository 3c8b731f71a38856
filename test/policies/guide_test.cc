// docs/conditions.md is true: its examples are understood by both servers, and PromQL does what it
// says PromQL does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "analysis/judge.h"
#include "analysis/render.h"
#include "config/loader.h"
#include "config/merge.h"
#include "test/policies/shape.h"
#include "test/prometheus/both_servers.h"

namespace rollwatch {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDatasource = "[datasource.default]\nurl = \"http://127.0.0.1:9090\"\n";
// What a block that is no whole file belongs to; test/e2e/readme_test.py does the same.
constexpr const char* kFragment = "<!-- fragment -->";
constexpr const char* kWeb = "[policy.web]\nduration = \"10m\"\n";

// Every configuration of a page, as a whole file.
std::vector<std::string> configurations_of(const fs::path& page) {
  std::vector<std::string> found;
  std::istringstream lines(read_file(page));
  std::string before;
  for (std::string line; std::getline(lines, line);) {
    if (line == "```toml") {
      std::string text = before == kFragment ? std::string(kDatasource) + kWeb : "";
      while (std::getline(lines, line) && line != "```") text += line + '\n';
      found.push_back(std::move(text));
    }
    if (!line.empty()) before = line;
  }
  return found;
}

Settings settings_from(const std::string& text) {
  const TempDir folder;
  write_file(folder / "rollwatch.toml", text);
  for (const char* named : {"server.crt", "server.key"}) write_file(folder / named, "");
  auto settings = load_config((folder / "rollwatch.toml").string(), process_environment());
  if (!settings) throw std::runtime_error(settings.error().front().text() + "\n" + text);
  return std::move(*settings);
}

RolloutSpec some_rollout() {
  RolloutSpec spec;
  spec.id = "ro_1";
  spec.service = "checkout";
  spec.stable = "1.23";
  spec.candidate = "1.24";
  spec.args = {{"cluster", "eu-1"}, {"capacity", "200"}};
  return spec;
}

std::string rendered(const promql::QueryTemplate& query, const ConditionPlan& condition) {
  const auto text = render_query(query, some_rollout(), condition, 0, 5.0);
  if (!text) throw std::runtime_error(condition.name + ": " + text.error().message);
  return *text;
}

std::vector<std::string> queries_of(const std::string& configuration) {
  std::vector<std::string> queries;
  const Settings settings = settings_from(configuration);
  for (const auto& [name, document] : settings.policies) {
    const auto merged = merge_analysis(settings, "default", "checkout", {name}, nullptr);
    if (!merged) throw std::runtime_error(merged.error().front().text());
    for (const ConditionPlan& condition : merged->plan.conditions) {
      for (const PlannedQuestion& question : questions_of(condition)) {
        const auto text = render_question(question, some_rollout(), condition, 0, 5.0);
        if (!text) throw std::runtime_error(condition.name + ": " + text.error().message);
        queries.push_back(*text);
      }
    }
  }
  return queries;
}

TEST(Guide, ItsExamplesAreUnderstoodByBothServers) {
  BothServers servers("");
  int checked = 0;
  for (const char* page : {"README.md", "docs/conditions.md", "docs/operating.md"}) {
    SCOPED_TRACE(page);
    for (const std::string& text : configurations_of(fs::path(ROLLWATCH_SOURCE_DIR) / page)) {
      for (const std::string& query : queries_of(text)) {
        SCOPED_TRACE(query);
        for (const char* datasource : kBoth) {
          const QueryCheck check = servers.check(datasource, query);
          EXPECT_EQ(check.verdict, QueryCheck::Verdict::kOk) << datasource << ": " << check.message;
          ++checked;
        }
      }
    }
  }
  EXPECT_GE(checked, 24);
}

// A service whose errors, latency and pods are what the guide warns of.
constexpr const char* kSeries = R"(
buckets 0.1 1
others
  requests{version="calm", code="200"} +60
  requests{version="idle", code="200"} +0
  requests{version="late", code="200"} +60
  requests{version="late", code="500"} born 45s 3
  requests{version="clean", pod="a", code="200"} +60
  requests{version="mixed", pod="a", code="200"} +60
  requests{version="mixed", pod="b", code="200"} +0
  requests{version="pods", pod="a", code="200"} +60
  requests{version="pods", pod="b", code="200"} +60
  requests{version="pods", pod="b", code="500"} +30
  histogram latency{version="slow"} +Inf:60
  heap{version="calm"} 0.3
)";

constexpr const char* kLimit = " > 0.05";

// {v} stands for the version.
std::string of_version(std::string text, const std::string& version) {
  for (std::size_t at = text.find("{v}"); at != std::string::npos; at = text.find("{v}"))
    text.replace(at, 3, version);
  return text;
}

TEST(Guide, PromqlDoesWhatItSaysItDoes) {
  struct Row {
    const char* name;
    const char* version;
    std::string query;
    Cause prometheus;
    std::optional<Cause> victoria = std::nullopt;  // none: as Prometheus
    const char* more = "";                         // further keys
  };
  const std::string errors = R"(sum(rate(requests{version="{v}",code="500"}[2m])))";
  const std::string all = R"(sum(rate(requests{version="{v}"}[2m])))";
  const std::string bare = errors + " / " + all;
  const std::string ratio = "(" + errors + " or vector(0)) / " + all;
  const std::string pods = R"(sum by (pod) (rate(requests{version="{v}"}[2m])))";
  const std::string bad_pods = R"(sum by (pod) (rate(requests{version="{v}",code="500"}[2m])))";
  const std::string bad_or_none = "(" + bad_pods + " or 0 * " + pods + ")";
  const std::string safe_pods = bad_or_none + " / (" + pods + " > 0)";
  const std::string born = R"(sum(increase(requests{version="{v}",code="500"}[2m])))";
  const std::string p95 =
      R"(histogram_quantile(0.95, sum by (le) (rate(latency_bucket{version="{v}"}[2m]))))";
  const std::string heap = R"(heap{version="{v}"})";
  using enum Cause;
  const Row rows[] = {
      {"without an error the bare ratio is no data", "calm", bare + kLimit, kNoSeries},
      {"nor is it without a request", "idle", bare + kLimit, kNoSeries},
      {"with `or vector(0)` it is 0", "calm", ratio + kLimit, kWithinLimit},
      {"without a request that is 0 / 0, which is no data still",  //
       "idle", ratio + kLimit, kNotANumber, kNoSeries},
      {"and without a series too", "gone", ratio + kLimit, kNoSeries},
      {"around the whole it is 0", "calm", "(" + bare + " or vector(0))" + kLimit, kWithinLimit},
      {"but so it is without a request",  //
       "idle", "(" + bare + " or vector(0))" + kLimit, kWithinLimit},
      {"and without a series", "gone", "(" + bare + " or vector(0))" + kLimit, kWithinLimit},
      {"unless evidence rules that out",  //
       "gone", "(" + bare + " or vector(0))" + kLimit, kNoEvents, std::nullopt,
       R"(evidence = 'sum(rate(requests{version="{v}"}[2m]))')"},
      {"vector(0) has no labels, so it finds no pod; a plain number to VictoriaMetrics",  //
       "clean", "(" + bad_pods + " or vector(0)) / " + pods + kLimit, kNoSeries, kWithinLimit},
      {"a pod without errors is missing beside one with",  //
       "pods", bad_pods + " / " + pods + " < 0.05", kWithinLimit},
      {"`or 0 *` what is there for sure counts every pod",  //
       "pods", safe_pods + " < 0.05", kBeyondLimit},
      {"also if none has errors", "clean", safe_pods + kLimit, kWithinLimit},
      {"and is no data without a request", "idle", safe_pods + kLimit, kNoSeries},
      {"a single pod without a request is 0 / 0; VictoriaMetrics drops it",  //
       "mixed", bad_or_none + " / " + pods + kLimit, kNotANumber, kWithinLimit},
      {"and is left out by `> 0`", "mixed", safe_pods + kLimit, kWithinLimit},
      {"three errors at birth are no increase; VictoriaMetrics counts so few",  //
       "late", born + " > 2", kWithinLimit, kBeyondLimit},
      {"all is slower than the largest bucket, and no quantile is above it",  //
       "slow", p95 + " > 1", kWithinLimit},
      {"but it can be equal",  //
       "slow", p95 + " >= 1", kBeyondLimit},
      {"a filter beside a rule hides what it is false for", "calm", heap + " > 0.5", kNoSeries,
       std::nullopt, "fail_if = '> 0.9'"},
      {"the comparison at the end is a rule, not a filter",  //
       "calm", heap + " > 0.9", kWithinLimit},
  };

  BothServers servers(read_shape("guide_test.cc", kSeries).samples);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Settings settings = settings_from(
        of_version(std::string(kDatasource) + kWeb + "[[policy.web.condition]]\nname = 'it'\n" +
                       "query = '''" + row.query + "'''\n" + row.more + "\n",
                   row.version));
    const auto merged = merge_analysis(settings, "default", "checkout", {"web"}, nullptr);
    ASSERT_TRUE(merged);
    const ConditionPlan& condition = merged->plan.conditions.front();
    const auto& threshold = std::get<ThresholdCondition>(condition.kind);
    for (const std::string datasource : kBoth) {
      SCOPED_TRACE(datasource);
      std::vector<Question> questions;
      for (const auto* query :
           {&threshold.query, threshold.evidence ? &*threshold.evidence : nullptr}) {
        if (query == nullptr) continue;
        questions.emplace_back();
        questions.back().datasource = datasource;
        questions.back().query = rendered(*query, condition);
        questions.back().time = SysTime{std::chrono::seconds(kShapeEnd)};
      }
      const std::vector<Answer> answers = servers.ask(questions);
      const Judgement judged =
          judge(condition, answers[0], answers.size() > 1 ? &answers[1] : nullptr, JudgeContext{});
      const Cause cause =
          datasource == "victoria" ? row.victoria.value_or(row.prometheus) : row.prometheus;
      EXPECT_EQ(name_of(judged.cause), name_of(cause)) << describe(judged);
    }
  }
}

}  // namespace
}  // namespace rollwatch
