// Whose the counters are, and what is compared where not all of them tell the same processes.
#include <gmock/gmock.h>

#include <utility>

#include "analysis/judge.h"
#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using testing::Eq;
using testing::HasSubstr;

Series counter_of(const std::string& label, const std::string& value, double count) {
  return {{{label, value}}, count};
}

Answer counters_of(std::vector<Series> series) {
  return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
}

// Events by pod and bad events by instance: half of the candidate's requests failed, "0 bad of
// 60,000" was said of it, and it was promoted.
TEST(CompareSources, BadEventsOfOthersThanTheEventsCannotBeCompared) {
  Compared r(long_steps(compared_rate()));
  r.play("begin ack");
  double served = 0;
  for (int i = 0; i < 8; ++i) {
    served += 1000;
    r.answer_arms("errors", {counters_of({counter_of("pod", "candidate-0", served)}),
                             counters_of({counter_of("instance", "10.0.0.1:80", served / 2)}),
                             counters_of({counter_of("pod", "stable-0", served)}),
                             counters_of({counter_of("instance", "10.0.0.2:80", served / 100)})});
    if (i == 0) {
      EXPECT_EQ(r.judged().cause, Cause::kCountingBegins);
      continue;
    }
    ASSERT_EQ(r.judged().cause, Cause::kIncomparable) << i;
    EXPECT_EQ(r.judged().outcome, Outcome::kError);
  }
  EXPECT_EQ(describe(r.judged()),
            "cannot be compared: candidate: bad_events counts \"10.0.0.1:80\", of which events has "
            "no series; both must tell the same processes: pod in both, or instance in both");
}

// Of one pod of many it is as bad: its errors would never be seen.
TEST(CompareSources, OnePodWithoutEventsIsEnoughAndOneSlotOfItIsNot) {
  Compared r(long_steps(compared_rate()));
  r.warm_up();
  const auto ask_with = [&r](std::vector<Series> more_events, std::vector<Series> more_bad) {
    r.candidate.add(kFine);
    r.stable.add(kStable);
    const auto with = [](const Answer& answer, const std::vector<Series>& more) {
      const auto& list = std::get<Vector>(answer.result).series;
      std::vector<Series> all(list.begin(), list.end());
      all.insert(all.end(), more.begin(), more.end());
      return counters_of(std::move(all));
    };
    r.answer_arms("errors", {r.candidate.events(), r.candidate.bad(),
                             with(r.stable.events(), more_events), with(r.stable.bad(), more_bad)});
  };
  ask_with({}, {counter_of("pod", "stable-new", 1)});
  EXPECT_THAT(r.judged().outcome, Eq(Outcome::kPass)) << "a pod is new: its events may follow";
  ask_with({counter_of("pod", "stable-new", 90)}, {counter_of("pod", "stable-new", 2)});
  EXPECT_THAT(r.judged().outcome, Eq(Outcome::kPass));
  ask_with({counter_of("pod", "stable-new", 180)},
           {counter_of("pod", "stable-new", 2), counter_of("pod", "ingress", 7)});
  EXPECT_THAT(r.judged().outcome, Eq(Outcome::kPass));
  ask_with({counter_of("pod", "stable-new", 270)},
           {counter_of("pod", "stable-new", 2), counter_of("pod", "ingress", 7)});
  EXPECT_THAT(describe(r.judged()), HasSubstr("stable: bad_events counts \"ingress\""));
  ask_with({counter_of("pod", "stable-new", 360)}, {counter_of("pod", "stable-new", 3)});
  EXPECT_THAT(r.judged().outcome, Eq(Outcome::kPass)) << "it is gone";
}

// An exporter drops what was idle: for nine slots the candidate was said to have served nothing.
TEST(CompareSources, ASeriesThatEndsBesideOthersOfItsPodStopsNothing) {
  Compared r(long_steps(compared_rate()));
  r.play("begin ack");
  double served = 0;
  for (int i = 0; i < 12; ++i) {
    served += 1000;
    std::vector<Series> events{{{{"pod", "candidate-0"}, {"path", "/"}}, served}};
    if (i < 6) events.push_back({{{"pod", "candidate-0"}, {"path", "/idle"}}, 5});
    r.answer_arms("errors", {counters_of(events),
                             counters_of({counter_of("pod", "candidate-0", served / 100)}),
                             counters_of({counter_of("pod", "stable-0", 19 * served)}),
                             counters_of({counter_of("pod", "stable-0", 0.19 * served)})});
    if (i <= 4) continue;
    EXPECT_EQ(r.judged().outcome, Outcome::kPass) << i << describe(r.judged());
  }
}

// Two servers behind one address: now the one answered, now the other, half a scrape behind it. All
// that a young candidate had done, its first errors too, was counted again and again.
TEST(CompareSources, AServerThatIsBehindRollsNobodyBack) {
  Compared r(long_steps(compared_rate()));
  r.play("begin ack");
  const auto at = [](double slot, double life, double each) {
    return counters_of({counter_of("pod", "a", life + slot * each)});
  };
  for (int i = 0; i < 40; ++i) {
    const double slot = i % 2 == 0 ? i : i - 1.5;
    r.answer_arms("errors",
                  {at(slot, 3000, 500), at(slot, 90, 2.5), at(i, 5e6, 9500), at(i, 25000, 47.5)});
    ASSERT_NE(r.judged().outcome, Outcome::kFail);
  }
  EXPECT_EQ(r.state.state, State::kAnalyzing);
  EXPECT_LT(r.log_evidence(), 0.5);
  EXPECT_EQ(describe(r.judged()),
            "no data: counters of the candidate are missing, or behind: they are waited for");
}

}  // namespace
}  // namespace rollwatch
