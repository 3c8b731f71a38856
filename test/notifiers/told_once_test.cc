// What concerns many rollouts is told once: stories of rollouts a, b, c …, each a service of its
// own, and every message that people get.
#include "notifiers/told_once.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/notifiers/told_once_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::SizeIs;

constexpr const char* kDown =
    "datasource default gives no answers: the datasource cannot be reached: connection refused; ";

struct Row {
  const char* name;
  const char* story;
  std::vector<std::string> told;
};

void expect_told(const std::vector<Row>& rows, const std::vector<NotifierRoute>& routes) {
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.name) + ": " + row.story);
    People people(routes);
    people.play(row.story);
    EXPECT_THAT(people.messages, ElementsAreArray(row.told));
  }
}

std::string down(const std::string& who) { return "people: " + std::string(kDown) + who; }
std::string still(const std::string& after, const std::string& who) {
  return "people: datasource default still gives no answers after " + after + "; " + who;
}
std::string back(const std::string& after, const std::string& who) {
  return "people: datasource default answers again after " + after + who;
}
const std::string kA = "a 1.24 in eu-1";
const std::string kB = "b 1.24 in eu-1";

TEST(ToldOnce, OfADatasourceWhenItBeginsEveryHalfHourAndWhenItEnds) {
  expect_told(
      {
          {"one rollout",
           "a:pause +7m a:lift",
           {down(kA + " waits for it"), back("12m", "; 1 rollout goes on by itself")}},
          {"later ones join",
           "a:pause b:pause +1m c:pause +6m a:lift b:lift c:lift",
           {down(kA + " waits for it"), back("12m", "; 3 rollouts go on by themselves")}},
          {"one reminder for all",
           "a:pause +10s b:pause +29m50s a:remind +10s b:remind +29m50s a:remind +10s b:remind",
           {down(kA + " waits for it"), still("35m", "2 rollouts wait for it"),
            still("1h5m", "2 rollouts wait for it")}},
          {"a reminder of the only one",
           "a:pause +30m a:remind",
           {down(kA + " waits for it"), still("35m", kA + " waits for it")}},
          {"reminded at the pace of whoever is left",
           "a:pause +20m b:pause +10m a:remind a:cancel +20m b:remind +30m b:remind",
           {down(kA + " waits for it"), still("35m", "2 rollouts wait for it"),
            "people: a cancelled", still("1h25m", kB + " waits for it")}},
          {"who is left is reminded at its own time, if that is a little early",
           "a:pause +29m30s b:pause +30s a:remind a:cancel +29m30s b:remind",
           {down(kA + " waits for it"), still("35m", "2 rollouts wait for it"),
            "people: a cancelled", still("1h4m", kB + " waits for it")}},
          {"seconds are told as seconds",
           "a:pause +1s a:lift +5m a:pause +1s a:lift",
           {down(kA + " waits for it"), back("5m", "; 1 rollout goes on by itself"),
            down(kA + " waits for it"), back("5m", "; 1 rollout goes on by itself")}},
          {"another time is told again",
           "a:pause +1m a:lift +10m b:pause",
           {down(kA + " waits for it"), back("6m", "; 1 rollout goes on by itself"),
            down(kB + " waits for it")}},
          {"two datasources are two troubles",
           "a:pause b:other-pause",
           {down(kA + " waits for it"),
            "people: datasource other gives no answers: the datasource cannot be reached: "
            "connection refused; " +
                kB + " waits for it"}},
          {"paused and lifted in one step is both",
           "a:pause a:lift b:lift",
           {down(kA + " waits for it"), back("5m", "; 1 rollout goes on by itself")}},
      },
      {notifier("people")});
}

TEST(ToldOnce, TheEndIsWhatIsKnownOfTheDatasource) {
  expect_told(
      {
          {"not at the first that goes on",
           "a:pause b:pause +5m a:lift +10s b:silent",
           {down(kA + " waits for it")}},
          {"after a minute in which nobody got none",
           "a:pause b:pause c:pause +5m a:lift +30s b:answer +29s c:answer +1s a:watched b:answer",
           {down(kA + " waits for it"),
            back("11m",
                 "; 1 rollout goes on by itself, 2 more wait until all their conditions "
                 "pass")}},
          {"the minute begins again with every silence",
           "a:pause b:pause +5m a:lift +50s b:silent +50s a:watched +50s a:watched",
           {down(kA + " waits for it")}},
          {"nobody is reminded when it is about to be over",
           "a:pause b:pause +29m50s a:lift +10s b:remind +10s b:silent +20m c:pause c:remind",
           {down(kA + " waits for it"), still("55m", "2 rollouts wait for it")}},
          {"nobody goes on",
           "a:pause +5m a:answer +1m a:answer",
           {down(kA + " waits for it"),
            back("11m", "; 1 rollout waits until all its conditions pass")}},
          {"others' answers say nothing about those that wait",
           "a:pause +5m b:watched +2m b:watched",
           {down(kA + " waits for it")}},
          {"others' silence does: it is the same datasource",
           "a:pause +5m a:answer +10s c:silent +30s c:silent +30s c:silent +10s c:watched",
           {down(kA + " waits for it")}},
          {"a slot that was missed shows nothing, however long ago the answer was",
           "a:pause +5m a:answer +2m a:missed",
           {down(kA + " waits for it")}},
          {"nor do steps of others that show nothing of it",
           "a:pause +5m a:answer +2m o:watched-other b:note",
           {down(kA + " waits for it"), "people: b note"}},
          {"going on is an answer, whichever condition's slot it is",
           "a:pause +5m a:lift-by-other",
           {down(kA + " waits for it"), back("10m", "; 1 rollout goes on by itself")}},
          {"who is lifted after the end is not told again",
           "a:pause b:pause +5m a:answer b:answer +1m b:answer +1m a:lift b:lift",
           {down(kA + " waits for it"),
            back("11m", "; 2 rollouts wait until all their conditions pass")}},
          {"who still gets none at the next reminder begins it again",
           "a:pause b:pause +5m a:lift b:answer +1m a:watched +1m b:silent +23m b:remind +30m "
           "b:remind",
           {down(kA + " waits for it"),
            back("11m",
                 "; 1 rollout goes on by itself, 1 more waits until all its conditions "
                 "pass"),
            down(kB + " waits for it"), still("58m", kB + " waits for it")}},
          {"who has not been asked since is reminded by itself: that it waits is all that is known",
           "a:pause b:pause +5m a:lift +1m a:watched +24m b:remind restart b:missed +30m b:remind "
           "+1m b:silent +29m b:remind",
           {down(kA + " waits for it"),
            back("11m",
                 "; 1 rollout goes on by itself, 1 more waits until all its conditions "
                 "pass"),
            "people: b reminder", "people: b reminder", down(kB + " waits for it")}},
          {"but not in the minutes after the end, whose message counted it",
           "a:pause b:pause +28m a:lift +1m a:watched +1m b:remind +30m b:missed b:remind",
           {down(kA + " waits for it"),
            back("34m",
                 "; 1 rollout goes on by itself, 1 more waits until all its conditions "
                 "pass"),
            "people: b reminder"}},
          {"so is who had one answer and was not asked again",
           "a:pause +29m a:answer +1m a:remind +28m a:missed +2m a:remind",
           {down(kA + " waits for it"), "people: a reminder"}},
          {"who only misses its own data is told by itself",
           "a:pause b:pause +5m a:lift b:answer +1m a:watched +24m b:own-remind +1m b:lift",
           {down(kA + " waits for it"),
            back("11m",
                 "; 1 rollout goes on by itself, 1 more waits until all its conditions "
                 "pass"),
            "people: b reminder", "people: b resumed"}},
          {"its own trouble at last: the datasource answered before",
           "a:pause +29m50s a:answer +10s a:own-remind",
           {down(kA + " waits for it"), "people: a reminder", back("35m", "")}},
          {"a failure is an answer",
           "a:pause +5m a:fail",
           {down(kA + " waits for it"), "people: a decided", back("10m", "")}},
      },
      {notifier("people")});
}

TEST(ToldOnce, OthersLeaveByAPersonsHand) {
  expect_told(
      {
          {"the last one: there is nothing more to say",
           "a:pause +1m a:cancel +1h b:watched",
           {down(kA + " waits for it"), "people: a cancelled"}},
          {"answers that came before may be said of it",
           "a:pause +5m a:answer +10s a:cancel",
           {down(kA + " waits for it"), "people: a cancelled", back("10m", "")}},
          {"but not with a slot that got none",
           "a:pause +5m a:answer +10s a:silent-cancel",
           {down(kA + " waits for it"), "people: a cancelled"}},
          {"who is sent on in spite of it is told when it waits again",
           "a:pause +1m a:person +5m a:pause",
           {down(kA + " waits for it"), down(kA + " waits for it")}},
          {"unless others wait still",
           "a:pause b:pause +1m a:person +5m a:pause",
           {down(kA + " waits for it")}},
          {"they are not counted",
           "a:pause b:pause c:pause +1m b:cancel +6m a:lift c:lift",
           {down(kA + " waits for it"), "people: b cancelled",
            back("12m", "; 2 rollouts go on by themselves")}},
      },
      {notifier("people")});
}

TEST(ToldOnce, SoaksAreUnwatchedMeanwhile) {
  const std::string unwatched = kA + " is promoted, and nobody watches it meanwhile";
  expect_told(
      {
          {"alone", "a:soak a:unwatched +5m a:watched", {down(unwatched), back("10m", "")}},
          {"first, then others wait",
           "a:soak a:unwatched b:pause +5m a:watched b:lift",
           {down(unwatched), back("10m", "; 1 rollout goes on by itself")}},
          {"joins",
           "b:pause a:soak a:unwatched +5m b:lift a:watched",
           {down(kB + " waits for it"), back("10m", "; 1 rollout goes on by itself")}},
          {"does not wait",
           "a:soak a:unwatched b:pause +30m b:remind",
           {down(unwatched), still("35m", kB + " waits for it")}},
          {"its end is none of the silence",
           "a:soak a:unwatched +5m a:promoted +1m b:watched",
           {down(unwatched), "people: a promoted"}},
          {"after a restart it is not told again",
           "a:soak a:unwatched +1m restart +5m a:unwatched",
           {down(unwatched)}},
          {"and its end is told",
           "a:soak a:unwatched +1m restart +1m a:watched",
           {down(unwatched), back("7m", "")}},
          {"but when it is long ago",
           "a:soak a:unwatched +1m restart +31m a:unwatched",
           {down(unwatched), down(unwatched)}},
      },
      {notifier("people")});
}

TEST(ToldOnce, ARestartChangesNothing) {
  expect_told(
      {
          {"nobody is told again",
           "a:pause restart b:pause +1m restart +6m a:lift restart b:lift",
           {down(kA + " waits for it"), back("12m", "; 2 rollouts go on by themselves")}},
          {"nor reminded",
           "a:pause +30m a:remind restart b:pause +10m b:remind",
           {down(kA + " waits for it"), still("35m", kA + " waits for it")}},
          {"but for the minute of answers, of which a part was not seen",
           "a:pause +5m a:answer +20s restart +10m a:missed +10s a:answer +59s a:answer +1s "
           "a:answer",
           {down(kA + " waits for it"),
            back("21m", "; 1 rollout waits until all its conditions pass")}},
      },
      {notifier("people")});
}

TEST(ToldOnce, EveryChannelThatHasARolloutHearsOfItOnce) {
  const std::vector<NotifierRoute> routes = {notifier("ops", {{"service", "a"}}),
                                             notifier("shop", {{"service", "b"}}),
                                             notifier("all", {{"target", "eu-1"}})};
  People people(routes);
  people.play("a:pause c:pause +1m b:pause d:pause +6m b:lift a:lift c:lift d:lift");
  const std::string gone =
      "gives no answers: the datasource cannot be reached: connection "
      "refused; ";
  EXPECT_THAT(people.messages,
              ElementsAre("ops: datasource default " + gone + kA + " waits for it",
                          "all: datasource default " + gone + kA + " waits for it",
                          "shop: datasource default " + gone + kB + " waits for it",
                          "shop: datasource default answers again after 11m; 1 rollout goes on by "
                          "itself",
                          "ops: datasource default answers again after 12m; 1 rollout goes on by "
                          "itself",
                          "all: datasource default answers again after 12m; 4 rollouts go on by "
                          "themselves"));
}

TEST(ToldOnce, ItIsNotBackWhileSomebodyElsesChannelHasOneWithoutAnswers) {
  People people({notifier("ops", {{"service", "a"}}), notifier("shop", {{"service", "b"}})});
  people.play("a:pause +5m a:answer +50s b:silent +10s a:answer +59s a:answer");
  EXPECT_THAT(people.messages, SizeIs(1));
  people.play("+1s a:answer");
  EXPECT_THAT(people.messages, SizeIs(2));
}

TEST(ToldOnce, FiltersApplyToTheOneMessage) {
  struct Filter {
    std::vector<std::string> events;
    const char* story;
    std::vector<std::string> told;
  };
  const std::string waits = down(kA + " waits for it");
  const Filter rows[] = {
      {{"rolled_back"}, "a:pause +30m a:remind +1m a:lift", {}},
      {{"paused"}, "a:pause b:pause +30m a:remind +1m a:lift b:lift +1m a:pause", {waits, waits}},
      {{"resumed"}, "a:pause +7m a:lift", {back("12m", "; 1 rollout goes on by itself")}},
      {{"resumed"}, "a:pause +1m a:person", {"people: a resumed"}},
      {{"reminder"},
       "a:pause b:pause +30m a:remind b:remind +30m a:remind",
       {down(kA + " and 1 more wait for it"), still("1h5m", "2 rollouts wait for it")}},
      {{"note"},
       "a:pause b:soak b:unwatched",
       {down(kB + " is promoted, and nobody watches it meanwhile")}},
      {{"paused"},
       "b:soak b:unwatched a:pause",
       {down(kB + " is promoted, and nobody watches it meanwhile")}},
  };
  for (const Filter& row : rows) {
    SCOPED_TRACE(row.events.front() + ": " + row.story);
    People people({notifier("people", {}, row.events)});
    people.play(row.story);
    EXPECT_THAT(people.messages, ElementsAreArray(row.told));
  }
}

// Whatever is not part of such a matter is told as it always was.
TEST(ToldOnce, NothingElseIsSwallowed) {
  expect_told(
      {
          {"between the beginning and the end",
           "a:pause b:pause a:note b:cancel b:fail a:person",
           {down(kA + " waits for it"), "people: a note", "people: b cancelled",
            "people: b decided"}},
      },
      {notifier("people")});
}

}  // namespace
}  // namespace rollwatch
