// Every *.scenario file beside this one is a test of its own.
#include "test/scenarios/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "test/scenarios/story.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(ROLLWATCH_SCENARIOS))
    if (entry.path().extension() == ".scenario") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  return std::filesystem::path(info.param).stem().string();
}

class Scenario : public testing::TestWithParam<std::string> {};

TEST_P(Scenario, GoesAsTold) {
  const std::string text = text_of(GetParam());
  ASSERT_FALSE(text.empty()) << GetParam();
  const auto difference =
      play_scenario(std::filesystem::path(GetParam()).filename().string(), text);
  EXPECT_FALSE(difference.has_value()) << *difference;
}

INSTANTIATE_TEST_SUITE_P(Files, Scenario, testing::ValuesIn(scenario_files()), test_name);

// ---- The files

// "# A sentence." on the first line, and at least one thing that must be so.
TEST(ScenarioFiles, BeginWithASentence) {
  const std::vector<std::string> files = scenario_files();
  EXPECT_GE(files.size(), 90U);
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    const std::vector<std::string> lines = lines_of(text_of(file));
    ASSERT_GE(lines.size(), 3U);
    const std::string& first = lines.front();
    EXPECT_THAT(first, testing::MatchesRegex("# [A-Z0-9a-z].*[a-z0-9%]\\."));
    EXPECT_GE(std::count(first.begin(), first.end(), ' '), 5) << "a sentence, not a title";
    EXPECT_LE(first.size(), 120U);
    EXPECT_TRUE(std::any_of(lines.begin(), lines.end(),
                            [](const std::string& line) { return line.starts_with("expect "); }));
  }
}

TEST(ScenarioFiles, TellDifferentStories) {
  std::map<std::string, std::string> by_sentence, by_story;
  for (const std::string& file : scenario_files()) {
    const std::string text = text_of(file);
    const std::string sentence = lines_of(text).front();
    EXPECT_TRUE(by_sentence.emplace(sentence, file).second)
        << file << " says the same as " << by_sentence[sentence];
    const std::string story = text.substr(sentence.size());
    EXPECT_TRUE(by_story.emplace(story, file).second)
        << file << " plays the same as " << by_story[story];
  }
}

// ---- The words

bool has_part(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Each verb and each expectation is told of in the documentation, and used by some file.
TEST(ScenarioWords, AreDocumentedAndUsed) {
  const std::string page = text_of(ROLLWATCH_CONTRIBUTING);
  const std::size_t begin = page.find("### Scenario files");
  ASSERT_NE(begin, std::string::npos);
  const std::string table = page.substr(begin, page.find("\n## ", begin) - begin);
  std::string all;
  for (const std::string& file : scenario_files()) all += "\n" + text_of(file);
  for (const std::string& verb : Story::verbs()) {
    EXPECT_TRUE(has_part(table, "`" + verb)) << verb << " is not in docs/contributing.md";
    EXPECT_TRUE(has_part(all, "\n" + verb)) << "no scenario uses " << verb;
  }
  for (const std::string& word : Story::expectations()) {
    EXPECT_TRUE(has_part(table, "`" + word)) << word << " is not in docs/contributing.md";
    EXPECT_TRUE(has_part(all, "\nexpect " + word + " ")) << "no scenario uses " << word;
  }
  EXPECT_LE(Story::verbs().size(), 15U) << "a story is told with few words";
}

constexpr const char* kStory = R"(# A release.
policy
  steps = [ { weight = 5, hold = "1m" } ]
condition errors
  query = 'errors > 0.05'
metric errors = 0.01
register 1.24 over 1.23
after 10m
)";

// A word that means nothing is found out, wherever it stands: none is passed over.
TEST(ScenarioWords, AreClosed) {
  struct Row {
    const char* line;
    const char* words;
  };
  const Row rows[] = {
      {"promote 1.24", "unknown verb \"promote\""},
      {"expcet promoted", "unknown verb \"expcet\""},
      {"metric errors 0.2", "metric QUERY = what it answers"},
      {"metric errors = many", "unknown number \"many\""},
      {"metric errors = 0.1x", "unknown number \"0.1x\""},
      {"metric errors = {pod=\"a\"} 1, 2", "either every series has labels or none"},
      {"metric errors = {pod=\"a\" 1", "a brace is not closed"},
      {"source sick", "unknown source's way \"sick\""},
      {"register 1.25 ovre 1.24", "unknown word after register \"ovre\""},
      {"after a while", "not a duration: a while"},
      {"deployer naps", "unknown deployer's way \"naps\""},
      {"deployer acks perhaps", "unknown deployer's way \"acks perhaps\""},
      {"person ana dances", "unknown decision \"dances\""},
      {"person ana pause now", "unknown word after a decision \"now\""},
      {"person ana freeze", "unknown word after a freeze"},
      {"person ana freeze checkout payment", "unknown word after a freeze \"payment\""},
      {"person ana unfreeze checkout for 1h", "unknown word after a freeze \"1h\""},
      {"restart in 5m", "unknown word after restart"},
      {"store burns", "unknown store's way \"burns\""},
      {"clock forwards", "not a duration"},
      {"look at 1.99", "unknown rollout \"1.99\""},
      {"expect happy", "unknown expectation \"happy\""},
      {"expect verdict good", "unknown verdict \"good\""},
      {"expect condition load passing", "unknown condition \"load\""},
      {"expect condition errors good", "unknown verdict \"good\""},
      {"expect question why", "unknown question \"why\""},
      {"expect slots errors passes 3", "unknown outcome \"passes\""},
      {"expect slots errors pass few", "unknown number \"few\""},
      {"expect slots load pass 3", "unknown condition \"load\""},
      {"expect event party", "unknown event \"party\""},
      {"expect no event party", "unknown event \"party\""},
      {"expect no joke", "unknown word after no \"joke\""},
      {"expect reason", "expected what?"},
      {"policy", "the configuration is read already"},
      {"  soak = \"1m\"", "the configuration is read already"},
      {"expect refused anything", "the configuration was accepted"},
  };
  for (const Row& row : rows) {
    const auto difference = play_scenario("s", std::string(kStory) + row.line + "\n");
    ASSERT_TRUE(difference.has_value()) << row.line;
    EXPECT_THAT(*difference, HasSubstr("s:9: ")) << row.line;
    EXPECT_THAT(*difference, HasSubstr(row.words)) << row.line;
  }
}

// Every expectation can fail: one that is not so is found out, with what is so.
TEST(ScenarioWords, EachExpectationCanFail) {
  struct Row {
    const char* expectation;
    const char* is;
  };
  const Row rows[] = {
      {"paused", "but it is promoted"},
      {"weight 25", "but it is 100"},
      {"verdict failing", "but it is passed"},
      {"condition errors failing", "but it is passed"},
      {"last errors 0.9", "but it is \"0.01"},
      {"reason nobody knows", "but it is \"promoted:"},
      {"question deadline", "but it is none"},
      {"answer refused", "but it is \"created\""},
      {"orders advance 5", "but it is advance 5, promote 100"},
      {"attempts none", "but it is advance 5, promote 100"},
      {"told promoted", "but it is none"},
      {"slots errors fail 1", "but it is pass "},
      {"slots errors fail some", "but it is pass "},
      {"slots errors none", "but it is pass "},
      {"event paused", "but it is registered started"},
      {"event step_began 2", "but it is 1"},
      {"event promoted by nobody", "but it is \"\"promoted"},
      {"no event promoted", "but it is registered started"},
      {"explain no such thing", "but it is \"{"},
  };
  for (const Row& row : rows) {
    const auto difference =
        play_scenario("s", std::string(kStory) + "expect " + row.expectation + "\n");
    ASSERT_TRUE(difference.has_value()) << row.expectation;
    EXPECT_THAT(*difference, HasSubstr("s:9: ")) << *difference;
    EXPECT_THAT(*difference, HasSubstr(row.is)) << row.expectation;
  }
}

}  // namespace
}  // namespace rollwatch
