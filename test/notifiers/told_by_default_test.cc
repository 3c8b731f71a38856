// What people are told by default, type by type, as docs/notifications.md has it: a new type of
// event needs a row in both.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>

#include "notifiers/notification.h"
#include "notifiers/slack.h"
#include "notifiers/slack_thread.h"

namespace rollwatch {
namespace {

enum class Told { kNo, kYes, kOnlySome };

// "no", "yes" and "only …" of the page's table.
std::map<std::string, Told> table_of_the_page() {
  std::ifstream page(std::string(ROLLWATCH_SOURCE_DIR) + "/docs/notifications.md");
  std::map<std::string, Told> told;
  bool in_table = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| event | told by default |")) in_table = true;
    if (line.empty()) in_table = false;
    if (!in_table || !line.starts_with("| `")) continue;
    const std::size_t end = line.find('`', 3);
    const std::string name = line.substr(3, end - 3);
    const std::string rest = line.substr(end + std::string("` | ").size());
    EXPECT_FALSE(told.contains(name)) << name;
    if (rest.starts_with("no |")) told[name] = Told::kNo;
    if (rest.starts_with("yes |")) told[name] = Told::kYes;
    if (rest.starts_with("only ")) told[name] = Told::kOnlySome;
  }
  return told;
}

Event event_of(EventType type, const std::function<void(Event&)>& change = {}) {
  Event event;
  event.type = type;
  event.by = "alice";
  if (change) change(event);
  return event;
}

TEST(ToldByDefault, EveryTypeAsThePageSays) {
  using enum EventType;
  const std::map<EventType, Told> expected = {
      {kRegistered, Told::kNo},
      {kStarted, Told::kYes},
      {kStepBegan, Told::kNo},
      {kVerdict, Told::kNo},
      {kDecided, Told::kOnlySome},
      {kPaused, Told::kYes},
      {kResumed, Told::kOnlySome},
      {kOrderDone, Told::kNo},
      {kOrderAccepted, Told::kNo},
      {kOrderRefused, Told::kNo},
      {kOrderExpired, Told::kNo},
      {kPromoted, Told::kYes},
      {kSoaking, Told::kNo},
      {kRolledBack, Told::kYes},
      {kRollbackFailed, Told::kYes},
      {kCancelled, Told::kYes},
      {kSuperseded, Told::kYes},
      {kWatchResumed, Told::kNo},
      {kConditionFailed, Told::kOnlySome},
      {kReminder, Told::kYes},
      {kNote, Told::kOnlySome},
      {kExtended, Told::kNo},
      {kFrozen, Told::kYes},
      {kThawed, Told::kYes},
      {kReady, Told::kOnlySome},
      {kRecovered, Told::kYes},
      {kStillBad, Told::kYes},
      {kLabelled, Told::kNo},
  };
  const auto page = table_of_the_page();
  EXPECT_EQ(page.size(), expected.size());
  for (int i = 0; i <= static_cast<int>(kLastEventType); ++i) {
    const auto type = static_cast<EventType>(i);
    SCOPED_TRACE(name_of(type));
    ASSERT_TRUE(expected.contains(type));
    const auto row = page.find(std::string(name_of(type)));
    ASSERT_NE(row, page.end());
    EXPECT_EQ(row->second, expected.at(type));
    // As it is without anything that makes it news.
    EXPECT_EQ(slack_webhook_tells(event_of(type)), expected.at(type) == Told::kYes);
    EXPECT_EQ(event_type(name_of(type)), type);
  }
}

// The page's third column: "message", "thread" or "channel" for what a bot tells of itself.
std::map<std::string, std::string> places_of_the_page() {
  std::ifstream page(std::string(ROLLWATCH_SOURCE_DIR) + "/docs/notifications.md");
  std::map<std::string, std::string> places;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `") || line.find("` | ") == std::string::npos) continue;
    const std::size_t end = line.find('`', 3);
    std::size_t cell = line.find(" | ", end);
    cell = line.find(" | ", cell + 1);
    if (cell == std::string::npos) continue;
    const std::size_t cell_end = line.find(" | ", cell + 1);
    if (cell_end == std::string::npos) continue;
    places[line.substr(3, end - 3)] = line.substr(cell + 3, cell_end - cell - 3);
  }
  return places;
}

TEST(ToldByDefault, ABotTellsWhatThePageSaysWhereItSays) {
  const auto places = places_of_the_page();
  for (int i = 0; i <= static_cast<int>(kLastEventType); ++i) {
    const auto type = static_cast<EventType>(i);
    SCOPED_TRACE(name_of(type));
    const auto row = places.find(std::string(name_of(type)));
    ASSERT_NE(row, places.end());
    const std::string& cell = row->second;
    const Event event = event_of(type, [](Event& e) { e.by = "engine"; });
    if (!slack_bot_tells(event)) {
      // "channel, the same": as with a webhook, only in some cases.
      EXPECT_TRUE(cell == "no" || cell.find_first_of(",;") != std::string::npos) << cell;
      continue;
    }
    if (cell == "one of its own") continue;
    const std::map<SlackPlace, std::string> words = {{SlackPlace::kRoot, "message"},
                                                     {SlackPlace::kThread, "thread"},
                                                     {SlackPlace::kChannel, "channel"}};
    EXPECT_EQ(cell.substr(0, cell.find_first_of(",;")),
              words.at(place_of(notice_of(RolloutSpec{}, event))));
  }
}

TEST(ToldByDefault, ABotTellsAPersonsDecisionsThatHaveNoEventOfTheirOwn) {
  const auto decided = [](DecisionKind kind, const char* by) {
    return slack_bot_tells(event_of(EventType::kDecided, [&](Event& e) {
      e.kind = kind;
      e.by = by;
      e.state = State::kAnalyzing;
    }));
  };
  EXPECT_TRUE(decided(DecisionKind::kAdvance, "ana"));
  EXPECT_TRUE(decided(DecisionKind::kPromote, "ana"));
  EXPECT_TRUE(decided(DecisionKind::kCancel, "ana"));
  EXPECT_FALSE(decided(DecisionKind::kPause, "ana")) << "paused says it";
  EXPECT_FALSE(decided(DecisionKind::kAdvance, "engine")) << "step_began says it";
}

TEST(ToldByDefault, TheSomeOfEachTypeThatIsToldOnlySometimes) {
  using enum EventType;
  const auto news = [](Event& e) { e.is_news = true; };
  EXPECT_TRUE(slack_webhook_tells(event_of(kConditionFailed, news)));
  EXPECT_TRUE(slack_webhook_tells(event_of(kReady, news)));
  EXPECT_TRUE(slack_webhook_tells(event_of(kNote, news)));
  EXPECT_TRUE(slack_webhook_tells(event_of(kNote, [](Event& e) { e.question = "q1"; })));
  EXPECT_TRUE(slack_webhook_tells(event_of(kResumed, [](Event& e) { e.by = "engine"; })))
      << "nobody else would know that nobody is waited for any more";
  const auto decided = [](DecisionKind kind, State state) {
    Event event = event_of(kDecided);
    event.kind = kind;
    event.state = state;
    return slack_webhook_tells(event);
  };
  EXPECT_TRUE(decided(DecisionKind::kRollback, State::kRollingBack));
  EXPECT_FALSE(decided(DecisionKind::kRollback, State::kAnalyzing)) << "it would have been";
  EXPECT_FALSE(decided(DecisionKind::kAdvance, State::kAnalyzing));
}

}  // namespace
}  // namespace rollwatch
