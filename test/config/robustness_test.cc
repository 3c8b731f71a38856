// Files and requests with random damage: whatever comes in, the answer is settings or errors that
// say where, and never a crash. Run under the sanitizers, this is what holds the parsers to their
// word.
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

#include "config/merge.h"
#include "test/config/config_support.h"

namespace rollwatch {
namespace {

constexpr int kRounds = 1500;

// Deletes, doubles, swaps or overwrites pieces of the text.
std::string damaged(std::string text, std::mt19937& random) {
  static const std::string kPieces[] = {"[",  "]",  "{",  "}",     "\"",   "'",       "=",  ",",
                                        "\n", "0",  "-1", "1e999", "true", "[[x]]\n", "\\", "${",
                                        "$$", "{{", "}}", "null",  "\xff", "[]",      "{}"};
  const auto below = [&random](std::size_t limit) {
    return random() % std::max<std::size_t>(limit, 1);
  };
  for (std::size_t edits = 1 + below(3); edits > 0 && !text.empty(); --edits) {
    const std::size_t at = below(text.size());
    const std::size_t length = std::min(below(20) + 1, text.size() - at);
    switch (below(4)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(at, length));
        break;
      case 2:
        text.insert(at, kPieces[below(std::size(kPieces))]);
        break;
      default:
        text.replace(at, 1, kPieces[below(std::size(kPieces))]);
        break;
    }
  }
  return text;
}

std::string example_without_comments() {
  std::ifstream in(ROLLWATCH_SOURCE_DIR "/config/rollwatch.example.toml");
  std::ostringstream all;
  all << in.rdbuf();
  // Without comments, so that the damage hits something.
  std::istringstream lines(all.str());
  std::string line, text;
  while (std::getline(lines, line)) {
    if (!line.empty() && line[0] != '#') text += line + '\n';
  }
  return text;
}

ConfigInMemory config_of(const std::string& text) {
  ConfigInMemory config(text);
  config.variables = {{"DEPLOYER_SECRET", kGoodSecret},
                      {"SLACK_WEBHOOK_URL", "https://hooks.example.net/x"},
                      {"GRAFANA_TOKEN", "glsa_x"}};
  return config;
}

TEST(Robustness, DamagedFilesAreLoadedOrRefusedWithAPlace) {
  std::mt19937 random(20260102);
  const std::string text = example_without_comments();
  int refused = 0;
  for (int round = 0; round < kRounds; ++round) {
    const ConfigInMemory config = config_of(damaged(text, random));
    SCOPED_TRACE(config.files.at(kMainFile));
    const auto settings = config.load();
    if (settings) continue;
    ++refused;
    ASSERT_FALSE(settings.error().empty());
    for (const ConfigError& error : settings.error()) {
      EXPECT_GT(error.origin.line, 0) << error.text();
      EXPECT_FALSE(error.message.empty());
    }
  }
  EXPECT_GT(refused, kRounds / 4);
}

TEST(Robustness, DamagedRequestsAreMergedOrRefusedWithAPointer) {
  const auto settings = config_of(example_without_comments()).load();
  ASSERT_TRUE(settings) << ConfigInMemory::text_of(settings.error());
  const std::string request =
      R"({"interval": "15s", "steps": [{"weight": 5, "hold": "1m"}, {"weight": 25}, {"weight": 100}],
    "patience": "1m", "approve": "both", "condition": [
    {"name": "error-rate", "fail_if": "> 0.1", "within": "all", "steps": [5, 100]},
    {"name": "extra", "query": "sum(rate(x{a=\"{{service}}\"}[{{window}}])) > 5", "min_passes": 2, "on_error": "fail"}]})";
  std::mt19937 random(20260103);
  int merged_count = 0, refused = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string text = damaged(request, random);
    SCOPED_TRACE(text);
    const auto value = value_from_json(text, "request", "/analysis");
    if (!value) continue;
    const auto merged = merge_analysis(*settings, "default", "checkout", {"http"}, &*value);
    if (merged) {
      ++merged_count;
      EXPECT_TRUE(decode_plan(*value_from_json(merged->analysis)));
      continue;
    }
    ++refused;
    for (const FieldError& error : merged.error()) {
      EXPECT_FALSE(error.origin.pointer.empty() && error.origin.file.empty()) << error.text();
      EXPECT_FALSE(error.message.empty());
    }
  }
  EXPECT_GT(merged_count, 5);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace rollwatch
