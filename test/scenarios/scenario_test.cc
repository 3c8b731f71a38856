// Every *.scenario file beside this one is a test of its own.
#include "test/scenarios/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace rollwatch {
namespace {

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(ROLLWATCH_SCENARIOS))
    if (entry.path().extension() == ".scenario") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  return std::filesystem::path(info.param).stem().string();
}

class Scenario : public testing::TestWithParam<std::string> {};

TEST_P(Scenario, GoesAsTold) {
  std::ifstream in(GetParam());
  std::stringstream text;
  text << in.rdbuf();
  ASSERT_FALSE(text.str().empty()) << GetParam();
  const auto difference =
      play_scenario(std::filesystem::path(GetParam()).filename().string(), text.str());
  EXPECT_FALSE(difference.has_value()) << *difference;
}

INSTANTIATE_TEST_SUITE_P(Files, Scenario, testing::ValuesIn(scenario_files()), test_name);

// The runner itself: a story that does not go as told is found out.
TEST(ScenarioRunner, NamesTheLineThatDiffers) {
  const auto difference = play_scenario("s", R"(# A story with a wrong end.
policy
  steps = [ { weight = 5, hold = "1m" } ]
condition errors
  query = 'errors > 0.05'
metric errors = 0.01
register 1.24 over 1.23
after 10m
expect rolled_back
)");
  ASSERT_TRUE(difference.has_value());
  EXPECT_NE(difference->find("s:9"), std::string::npos) << *difference;
  EXPECT_NE(difference->find("promoted"), std::string::npos) << *difference;
}

}  // namespace
}  // namespace rollwatch
