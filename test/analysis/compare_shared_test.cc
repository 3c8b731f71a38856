// What both versions have is said to be shared, and not blamed on the candidate; and what is not
// shared, or may be chance, is not said to be.
#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <functional>

#include "analysis/judge.h"
#include "analysis/state_codec.h"
#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;
using testing::Not;

// ---- Latencies

using Buckets = std::array<double, 3>;  // of a slot: up to 0.1, up to 0.5, slower

constexpr Buckets kUsualOfStable{1800, 80, 20}, kUsualOfCandidate{95, 4, 1};
constexpr Buckets kSlowStable{1500, 240, 160}, kSlowCandidate{79, 13, 8};

// Both versions' buckets since they began.
class Latencies {
 public:
  explicit Latencies(Plan plan) : rollout(std::move(plan)) {}

  void history(int slots, const Buckets& each = kUsualOfStable) {
    std::vector<HistorySlot> past;
    for (int i = 0; i <= slots; ++i) {
      past.push_back({SysTime(Millis(10'000 * i)), answer(stable_), std::nullopt});
      add(stable_, each);
    }
    rollout.happens(HistoryRead{0, past, ""});
  }
  void begin() {
    rollout.play("begin ack");
    serve(4, kUsualOfCandidate, kUsualOfStable);
  }
  void serve(int slots, const Buckets& candidate, const Buckets& stable) {
    for (int i = 0; i < slots; ++i) {
      add(candidate_, candidate);
      add(stable_, stable);
      rollout.answer_arms("latency", {answer(candidate_), answer(stable_)});
    }
  }
  std::string said() const { return describe(rollout.judged()); }

  Compared rollout;

 private:
  static void add(Buckets& to, const Buckets& counts) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += counts[i];
  }
  static Answer answer(const Buckets& all) { return bucket_answer(all[0], all[1], all[2]); }

  Buckets candidate_{}, stable_{};
};

Plan latency_plan() { return long_steps(compared("latency", statistics::HistogramRules{})); }

constexpr const char* kSlowerToo =
    "requests slower than 0.5 rose in stable too: 8.42 % of them in this slot, 1.05 % before";

TEST(CompareShared, SlowerRequestsOfBothAreSaidToBeSharedForAsLongAsTheyLast) {
  Latencies r(latency_plan());
  r.history(30);
  r.begin();
  r.serve(3, kUsualOfCandidate, kUsualOfStable);
  EXPECT_THAT(r.said(), Not(HasSubstr("stable too")));
  const double before = r.rollout.log_evidence();
  for (int i = 0; i < 40; ++i) {
    r.serve(1, kSlowCandidate, kSlowStable);
    ASSERT_THAT(r.said(), HasSubstr(kSlowerToo)) << "slot " << i;
  }
  EXPECT_EQ(r.rollout.judged().outcome, Outcome::kPass);
  EXPECT_LE(r.rollout.log_evidence(), before + 0.5);
  EXPECT_EQ(r.rollout.show(), "analyzing step 0 (5 %) passing");
  r.serve(1, kUsualOfCandidate, kUsualOfStable);
  EXPECT_THAT(r.said(), Not(HasSubstr("stable too"))) << "it is over";
}

TEST(CompareShared, WithoutHistoryTheSlotsBeforeSayWhatLatencyIsUsual) {
  Latencies r(latency_plan());
  r.begin();
  r.serve(5, kUsualOfCandidate, kUsualOfStable);
  r.serve(1, kSlowCandidate, kSlowStable);
  EXPECT_THAT(r.said(), HasSubstr(kSlowerToo));
}

TEST(CompareShared, WhatTheBodyOfAllRequestsDoesIsSeenToo) {
  Latencies r(latency_plan());
  r.history(30);
  r.begin();
  r.serve(1, {30, 69, 1}, {600, 1280, 20});
  EXPECT_THAT(r.said(), HasSubstr("requests slower than 0.1 rose in stable too: 68.4 % of them in "
                                  "this slot, 5.26 % before"));
}

TEST(CompareShared, LatencyThatIsNotSharedOrMayBeChanceIsNotSaidToBe) {
  const struct {
    const char* name;
    Buckets candidate, stable;
  } rows[] = {
      {"the candidate alone", kSlowCandidate, kUsualOfStable},
      {"stable alone", {100, 0, 0}, kSlowStable},
      {"not twice as many", {93, 5, 2}, {1780, 84, 36}},
      {"few requests, which may be chance", {9, 0, 1}, {18, 0, 2}},
  };
  for (const auto& row : rows) {
    Latencies r(latency_plan());
    r.history(30);
    r.begin();
    r.serve(1, row.candidate, row.stable);
    EXPECT_THAT(r.said(), Not(HasSubstr("stable too"))) << row.name;
  }
}

TEST(CompareShared, WhatIsUsualIsSavedAndResumed) {
  Latencies r(latency_plan());
  r.history(30);
  r.begin();
  r.serve(5, kUsualOfCandidate, kUsualOfStable);
  const std::string bytes = encode_state(r.rollout.state);
  auto again = decode_state(bytes);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(encode_state(*again), bytes);
  r.rollout.state = *std::move(again);
  r.serve(1, kSlowCandidate, kSlowStable);
  EXPECT_THAT(r.said(), HasSubstr(kSlowerToo));
}

// ---- Numbers

std::vector<HistorySlot> numbers_before(int slots, const std::function<double(int)>& value) {
  std::vector<HistorySlot> past;
  for (int i = 0; i < slots; ++i)
    past.push_back({SysTime(Millis(10'000 * i)), gauge_answer(value(i)), std::nullopt});
  return past;
}

double around_100(int i) { return 100 + i % 5; }

ConditionPlan memory(bool larger_is_worse = true) {
  statistics::GaugeRules rules;
  rules.larger_is_worse = larger_is_worse;
  rules.margin = std::log(1.1);
  rules.promote_margin = std::log(1.25);
  return compared("memory", rules);
}

TEST(CompareShared, AGaugeThatRoseInBothIsShared) {
  Compared r(long_steps(memory()));
  r.happens(HistoryRead{0, numbers_before(31, around_100), ""});
  EXPECT_THAT(r.events.back().summary, HasSubstr("30 slots of its history were read"));
  r.play("begin ack");
  for (int i = 0; i < 12; ++i)
    r.answer_arms("memory", {gauge_answer(around_100(i + 2)), gauge_answer(around_100(i))});
  EXPECT_THAT(describe(r.judged()), Not(HasSubstr("stable rose")));
  const double before = r.log_evidence();
  for (int i = 0; i < 40; ++i) {
    r.answer_arms("memory", {gauge_answer(301 + i % 3), gauge_answer(300 + i % 2)});
    ASSERT_THAT(describe(r.judged()),
                HasSubstr(i % 2 == 0 ? "stable rose too: 300 in this slot, 102 before"
                                     : "stable rose too: 301"));
  }
  EXPECT_LE(r.log_evidence(), before + 0.5);
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing");
}

TEST(CompareShared, WithoutHistoryStablesFirstValuesSayWhatIsUsual) {
  Compared r(long_steps(memory()));
  r.play("begin ack");
  const auto slot = [&r](double candidate, double stable) {
    r.answer_arms("memory", {gauge_answer(candidate), gauge_answer(stable)});
    return describe(r.judged());
  };
  for (int i = 0; i < 6; ++i) slot(around_100(i), around_100(i + 1));
  EXPECT_THAT(slot(300, 300), Not(HasSubstr("stable rose"))) << "six values are not enough";
  for (int i = 0; i < 6; ++i) slot(around_100(i), around_100(i + 1));
  EXPECT_THAT(slot(400, 400), HasSubstr("stable rose too: 400 in this slot, 102 before"));
}

TEST(CompareShared, WhatIsBadWhenItIsLowFalls) {
  Compared r(long_steps(memory(false)));
  r.happens(HistoryRead{0, numbers_before(31, around_100), ""});
  r.play("begin ack");
  for (int i = 0; i < 12; ++i) r.answer_arms("memory", {gauge_answer(50), gauge_answer(40)});
  EXPECT_THAT(describe(r.judged()), HasSubstr("stable fell too: 40 in this slot, 102 before"));
}

TEST(CompareShared, AGaugeThatIsNotSharedOrMayBeChanceIsNotSaidToBe) {
  const struct {
    const char* name;
    std::function<double(int)> before;
    double candidate, stable;
  } rows[] = {
      {"the candidate alone", around_100, 300, 103},
      {"stable alone", around_100, 103, 300},
      {"it was as high before", [](int i) { return i == 7 ? 300.0 : 100 + i % 5; }, 300, 300},
      {"it jumps all the time", [](int i) { return 100.0 + 40 * (i % 5); }, 290, 290},
      {"no more than is tolerated", [](int) { return 100.0; }, 105, 105},
      {"it went the other way", around_100, 30, 30},
      {"too little is known", [](int i) { return i < 25 ? std::nan("") : 100.0; }, 300, 300},
  };
  for (const auto& row : rows) {
    Compared r(long_steps(memory()));
    r.happens(HistoryRead{0, numbers_before(31, row.before), ""});
    r.play("begin ack");
    for (int i = 0; i < 12; ++i)
      r.answer_arms("memory", {gauge_answer(row.candidate), gauge_answer(row.stable)});
    EXPECT_THAT(describe(r.judged()), Not(HasSubstr("stable rose"))) << row.name;
  }
}

TEST(CompareShared, TheLookOfAStepSaysWhatRoseInBoth) {
  Plan plan = two_steps(compared("queue", RankRules{}));
  plan.steps[0].hold = plan.steps[1].hold = duration("3m");
  Compared r(plan);
  r.happens(HistoryRead{0, numbers_before(31, around_100), ""});
  r.play("begin ack");
  for (int i = 0; i < 40 && !r.state.order; ++i)
    r.answer_arms("queue", {gauge_answer(300 + i % 7), gauge_answer(300 + (i + 3) % 7)});
  EXPECT_THAT(describe(r.judged()),
              HasSubstr("stable rose too: typically 303 in this step, 102 before"));
  EXPECT_THAT(r.ordered(), HasSubstr("advance 25 %")) << "nobody is blamed for it";
}

// A step that was left is what is usual where there is no history.
TEST(CompareShared, TheStepBeforeSaysWhatIsUsualOfALook) {
  Plan plan = two_steps(compared("queue", RankRules{}));
  plan.steps[0].hold = plan.steps[1].hold = duration("3m");
  Compared r(plan);
  r.play("begin ack");
  for (int i = 0; i < 40 && !r.state.order; ++i)
    r.answer_arms("queue", {gauge_answer(around_100(i)), gauge_answer(around_100(i + 2))});
  EXPECT_THAT(describe(r.judged()), Not(HasSubstr("stable rose")));
  r.ack();
  for (int i = 0; i < 40 && !r.state.order; ++i)
    r.answer_arms("queue", {gauge_answer(300 + i % 7), gauge_answer(300 + (i + 3) % 7)});
  EXPECT_THAT(describe(r.judged()),
              HasSubstr("stable rose too: typically 304 in this step, 102 before"));
}

}  // namespace
}  // namespace rollwatch
