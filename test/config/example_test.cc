// The commented example is what people start from, so it must be right.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/merge.h"
#include "test/config/config_support.h"

namespace rollwatch {
namespace {

std::string example_text() {
  std::ifstream in(ROLLWATCH_SOURCE_DIR "/config/rollwatch.example.toml");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

ConfigInMemory example(const std::string& text) {
  ConfigInMemory config(text);
  config.variables = {{"DEPLOYER_SECRET", kGoodSecret},
                      {"SLACK_WEBHOOK_URL", "https://hooks.example.net/x"},
                      {"GRAFANA_TOKEN", "glsa_x"}};
  return config;
}

TEST(Example, LoadsWithoutAWarning) {
  ASSERT_FALSE(example_text().empty());
  const auto settings = example(example_text()).load();
  ASSERT_TRUE(settings) << ConfigInMemory::text_of(settings.error());
  EXPECT_TRUE(settings->warnings.empty()) << settings->warnings.front();
  EXPECT_EQ(settings->policies.count("http"), 1u);
  const auto merged = merge_analysis(*settings, "default", "checkout", {"http"}, nullptr);
  ASSERT_TRUE(merged) << ConfigInMemory::text_of(merged.error());
  EXPECT_EQ(merged->plan.steps.size(), 2u);
  EXPECT_EQ(merged->plan.conditions.size(), 8u) << "seven, and readiness";
  const CompareCondition* compares = comparison_of(merged->plan.conditions[3]);
  ASSERT_NE(compares, nullptr);
  EXPECT_EQ(std::get<statistics::RateRules>(compares->rules).tolerance.factor, 1.25);
  EXPECT_NE(count_of(merged->plan.conditions[6]), nullptr);
  EXPECT_EQ(std::get<ThresholdCondition>(merged->plan.conditions[2].kind).select.size(), 2u);
  EXPECT_EQ(merged->plan.soak, std::chrono::minutes(30));
}

TEST(Example, ItsDefaultsAreTheDefaults) {
  const auto empty = ConfigInMemory("").load();
  const auto settings = example(example_text()).load();
  ASSERT_TRUE(empty && settings);
  EXPECT_EQ(settings->server.listen, empty->server.listen);
  EXPECT_EQ(settings->store.path, empty->store.path);
  EXPECT_EQ(settings->store.retention, empty->store.retention);
  EXPECT_EQ(settings->store.thin_after, empty->store.thin_after);
  const DatasourceSettings plain_source;
  const DatasourceSettings& source = settings->datasources.at("default");
  EXPECT_EQ(source.timeout, plain_source.timeout);
  EXPECT_EQ(source.max_concurrency, plain_source.max_concurrency);
  const OrchestratorSettings plain_orchestrator;
  const OrchestratorSettings& orchestrator = settings->orchestrators.at("deployer");
  EXPECT_EQ(orchestrator.timeout, plain_orchestrator.timeout);
  EXPECT_EQ(orchestrator.deadline, plain_orchestrator.deadline);
  EXPECT_EQ(orchestrator.rollback_deadline, plain_orchestrator.rollback_deadline);
  EXPECT_EQ(orchestrator.ack_deadline, plain_orchestrator.ack_deadline);
  const auto merged = merge_analysis(*settings, "default", "other", {"http"}, nullptr);
  ASSERT_TRUE(merged);
  const Plan plain;
  const Plan& plan = merged->plan;
  EXPECT_EQ(
      std::tie(plan.patience, plan.deadline, plan.on_inconclusive, plan.on_deadline, plan.recovery),
      std::tie(plain.patience, plain.deadline, plain.on_inconclusive, plain.on_deadline,
               plain.recovery));
  const ReadyPlan plain_ready;
  ASSERT_TRUE(plan.ready);
  EXPECT_EQ(std::tie(plan.ready->timeout, plan.ready->retry_after, plan.ready->attempts),
            std::tie(plain_ready.timeout, plain_ready.retry_after, plain_ready.attempts));
  EXPECT_EQ(plan.conditions.back().on_fail, OnFail::kObserve) << "on_lost = \"ignore\"";
}

// Each `# key = …` that stands alone is an example of a real key: put in, it must be understood.
TEST(Example, KeysThatAreCommentedOutAreKnown) {
  std::istringstream lines(example_text());
  std::string line;
  std::string section;
  std::string type;  // of a notifier, which decides about its keys
  int tried = 0;
  while (std::getline(lines, line)) {
    if (line.rfind("[", 0) == 0) section = line, type.clear();
    if (line.rfind("type = ", 0) == 0) type = line + '\n';
    const std::size_t equals = line.find(" = ");
    const bool is_key = line.rfind("# ", 0) == 0 && equals != std::string::npos &&
                        line.find(' ', 2) == equals && section.find("[[") == std::string::npos;
    if (!is_key) continue;
    SCOPED_TRACE(line);
    ++tried;
    const std::string errors = example(section + '\n' + type + line.substr(2) + '\n').errors();
    EXPECT_EQ(errors.find("unknown key"), std::string::npos) << errors;
    EXPECT_EQ(errors.find("must be"), std::string::npos) << errors;
  }
  EXPECT_GE(tried, 20);
}

}  // namespace
}  // namespace rollwatch
