#include "analysis/state_codec.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <random>

#include "analysis/statistics/comparison_state.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

constexpr SysTime kSomeTime{Millis(1'767'323'045'678)};

RolloutState with_everything() {
  RolloutState state;
  state.state = State::kRollingBack;
  state.step = 3;
  state.step_since = kSomeTime;
  state.hold_since = kSomeTime - Millis(1);
  state.soak_since = SysTime(Millis(-1));
  state.order =
      OpenOrder{DecisionKind::kRollback, 7, 12.5, true, kSomeTime, kSomeTime + Millis(1), true};
  state.question = OpenQuestion{QuestionKind::kPersonPaused, 9,        kSomeTime, kSomeTime,
                                std::string("a\0b\n\"", 5),  "default"};
  state.conditions_only_observe = true;
  state.deadline_at = kSomeTime + Millis(1);
  state.lapsed = OpenOrder{DecisionKind::kAdvance, 6, 5, false, kSomeTime, kSomeTime};
  state.verdict = Verdict::kFailing;
  state.reached_weight = 0.1;
  state.orders_given = 1;
  state.decisions_made = 300;
  state.questions_asked = 70'000;
  state.evaluations = std::numeric_limits<unsigned>::max();
  state.revision = 5;
  state.waits_for_predecessor = true;
  state.newer_waits = true;
  state.begun = true;
  state.ready = ReadyState{2, kSomeTime, kSomeTime + Millis(2), true, kSomeTime - Millis(3)};
  state.freeze = FreezeState{kSomeTime, "frozen by ana: stocktaking"};
  state.extension = Millis(-600'000);
  state.recovery = RecoveryState{kSomeTime + Millis(4), true};
  ConditionState condition;
  condition.phase_ms = -4;
  condition.last_slot = std::numeric_limits<std::int64_t>::max();
  condition.counts = {1, 2, 3, 4, 5, 4'000'000'000};
  condition.watched_from = kSomeTime;
  condition.recent = {CountedSlot{-1, Outcome::kPass, false, 0.25},
                      CountedSlot{2, Outcome::kError, true, std::nullopt}};
  condition.fails_of_all = 1;
  condition.answers_of_all = 2;
  condition.passes_in_step = 3;
  condition.passes = 4;
  condition.silent_since = kSomeTime;
  condition.inconclusive_since = kSomeTime;
  condition.failed = true;
  Judgement judgement;
  judgement.outcome = Outcome::kNoData;
  judgement.cause = Cause::kNotANumber;
  judgement.value = std::nan("7");
  judgement.rule = Comparison{CompareOp::kNotEqual, -0.0};
  judgement.evidence = std::numeric_limits<double>::infinity();
  judgement.min_evidence = 1e-300;
  judgement.series = R"({a="b"})";
  judgement.detail = "\xff not text";
  condition.last = judgement;
  condition.last_evaluated_at = kSomeTime;
  condition.answered_for = kSomeTime - Millis(5);
  ConditionState counts;
  counts.memory = ConditionMemory(statistics::CountState{{}, 2.5, kSomeTime});
  ConditionState compares;
  compares.memory = ConditionMemory(statistics::ComparisonState{});
  state.conditions = {condition, ConditionState{}, condition, counts, compares};
  state.alerts.made().since = kSomeTime;
  state.alerts.made().firing = {
      {"f1", "Slow", "a=\"b\"", "5 %", "http://p/graph", kSomeTime, true}};
  state.alerts.made().fired = 3;
  state.alerts.made().resolved = 2;
  state.alerts.made().failed = true;
  state.alerts.made().last_at = kSomeTime;
  state.alerts.made().last_fires = true;
  state.alerts.made().last_text = "alert Slow fires";
  state.reason = "because";
  state.waits_for = "an approval";
  state.updated_at = kSomeTime;
  state.ended_at = kSomeTime;
  return state;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

TEST(StateCodecTest, TheSameStateComesBack) {
  const std::string bytes = encode_state(with_everything());
  const auto again = decode_state(bytes);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(hex(encode_state(*again)), hex(bytes));

  const RolloutState state = with_everything();
  EXPECT_EQ(again->state, state.state);
  EXPECT_EQ(again->soak_since, state.soak_since);
  EXPECT_EQ(again->order->reminded_at, state.order->reminded_at);
  EXPECT_EQ(again->question->text, state.question->text);
  EXPECT_EQ(again->evaluations, state.evaluations);
  ASSERT_EQ(again->conditions.size(), 5U);
  EXPECT_EQ(again->conditions[3].memory, state.conditions[3].memory);
  EXPECT_EQ(again->conditions[4].memory, state.conditions[4].memory);
  EXPECT_EQ(again->conditions[0].counts, state.conditions[0].counts);
  ASSERT_EQ(again->conditions[0].recent.size(), 2U);
  EXPECT_EQ(again->conditions[0].recent[1].slot, 2);
  EXPECT_EQ(again->conditions[0].recent[0].value, 0.25);
  EXPECT_EQ(again->conditions[0].last_slot, state.conditions[0].last_slot);
  EXPECT_EQ(again->conditions[1].last_slot, ConditionState::kNoSlot);
  EXPECT_TRUE(std::isnan(again->conditions[0].last->value.value()));
  EXPECT_TRUE(std::signbit(again->conditions[0].last->rule->limit));
  EXPECT_EQ(again->conditions[0].last->detail, state.conditions[0].last->detail);
  EXPECT_EQ(again->conditions[0].answered_for, state.conditions[0].answered_for);
  EXPECT_EQ(again->waits_for, state.waits_for);
  EXPECT_EQ(again->question->datasource, state.question->datasource);
  EXPECT_EQ(again->ready->ends_at, state.ready->ends_at);
  EXPECT_EQ(again->ready->stopped_at, state.ready->stopped_at);
  EXPECT_EQ(again->freeze->text, state.freeze->text);
  EXPECT_EQ(again->extension, state.extension);
  EXPECT_EQ(again->recovery->until, state.recovery->until);
  ASSERT_EQ(again->alerts->firing.size(), 1U);
  EXPECT_EQ(again->alerts->firing[0].generator_url, "http://p/graph");
  EXPECT_TRUE(again->alerts->firing[0].counts);
  EXPECT_EQ(again->alerts->fired, 3U);
  EXPECT_EQ(again->alerts->last_text, state.alerts->last_text);
  EXPECT_EQ(again->ended_at, state.ended_at);
}

TEST(StateCodecTest, AStateAtRestIsSmall) {
  const std::string bytes = encode_state(RolloutState{});
  EXPECT_LT(bytes.size(), 56U);
  EXPECT_TRUE(decode_state(bytes));
}

// These bytes are on people's disks. If this test fails, old states are not read any more.
TEST(StateCodecTest, TheFormatIsWhatItWas) {
  RolloutState state;
  state.state = State::kPaused;
  state.order =
      OpenOrder{DecisionKind::kPromote, 300, 0.5, true, SysTime(Millis(1)), SysTime(Millis(-1))};
  state.conditions.resize(1);
  state.conditions[0].recent = {CountedSlot{2, Outcome::kFail, true, 1.0}};
  state.conditions[0].last.emplace();
  state.reason = "x";
  EXPECT_EQ(hex(encode_state(state)),
            "01"  // format
            "02"
            "01"
            "00"
            "00"
            "00"
            "00"  // state, step, three times not yet, deadline
            "01"
            "01"
            "ac02"
            "000000000000e03f"
            "01"
            "02"
            "01"
            "00"  // the order
            "00"
            "00"  // lapsed, question
            "00"
            "0000000000000000"  // only observing, weight
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"  // counters, predecessor, newer, older, verdict
            "00"
            "0000000000"
            "00"
            "00"
            "00"  // begun, ready, freeze, extension, recovery
            "01"  // one condition:
            "00"
            "ffffffffffffffffff01"
            "00"            //   phase, no slot yet, not watched
            "000000000000"  //   counts
            "01"
            "04"
            "01"
            "01"
            "01"
            "000000000000f03f"  // one recent slot
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"
            "00"  //   further counts, since when, failed
            "01"
            "05"
            "15"
            "00"
            "00"
            "00"  //   last judgement
            "0000000000000000"
            "00"
            "00"
            "00"
            "00"                //   last evaluated for, last answered for
            "0000000000000000"  // alerts
            "01"
            "78"
            "00"
            "00"
            "00");  // reason, waits for, updated, ended
  EXPECT_TRUE(decode_state(encode_state(state)));
}

TEST(StateCodecTest, OnlyWhereSomethingIsRememberedTheFormatIsNewer) {
  RolloutState state;
  state.conditions.resize(1);
  const std::string before = encode_state(state);
  EXPECT_EQ(before.front(), 1);
  state.conditions[0].memory = ConditionMemory(statistics::CountState{});
  const std::string after = encode_state(state);
  EXPECT_EQ(after.front(), 2);
  const auto again = decode_state(after);
  ASSERT_TRUE(again) << again.error();
  EXPECT_TRUE(again->conditions[0].memory.count() != nullptr);
  state.conditions[0].memory = {};
  EXPECT_EQ(encode_state(state), before);
}

TEST(StateCodecTest, EveryEnumeratorComesBackAndTheNextIsRefused) {
  RolloutState state;
  state.conditions.resize(1);
  state.conditions[0].last.emplace();
  state.order.emplace();
  state.question.emplace();
  Judgement& last = *state.conditions[0].last;

  // Sets the enumerator to 0, 1, … and counts those that come back.
  const auto count = [&state](auto& enumerator) {
    using E = std::remove_reference_t<decltype(enumerator)>;
    int known = 0;
    for (;; ++known) {
      enumerator = static_cast<E>(known);
      const auto again = decode_state(encode_state(state));
      if (!again) break;
      EXPECT_EQ(encode_state(*again), encode_state(state));
    }
    enumerator = E{};
    return known;
  };
  EXPECT_EQ(count(state.state), 11);
  EXPECT_EQ(count(state.verdict), 6);
  EXPECT_EQ(count(state.order->kind), 7);
  EXPECT_EQ(count(state.question->kind), 14);
  EXPECT_EQ(count(last.outcome), 6);
  EXPECT_EQ(count(last.cause), 39);
  EXPECT_EQ(count(last.rule.emplace().op), 6);
}

struct Bad {
  std::string name;
  std::string bytes;
  std::string error;
};

TEST(StateCodecTest, WhatIsNotAStateIsSaidSo) {
  const std::string good = encode_state(RolloutState{});
  const std::vector<Bad> rows = {
      {"nothing", "", "cut short at byte 0"},
      {"a later format", "\x03" + good.substr(1), "format 3, this program knows 2"},
      {"no format", std::string(1, '\0') + good.substr(1), "format 0, this program knows 2"},
      {"bytes left over", good + '\0', "left over"},
      {"cut", good.substr(0, good.size() - 1), "cut short"},
      {"an unknown state", "\x01\x7e", "unknown enumerator"},
      {"an enormous state", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "unknown enumerator"},
      {"a number of eleven bytes", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "too large"},
      {"a step beyond int", std::string("\x01\x00\xfe\xff\xff\xff\xff\x01", 8), "too large"},
      {"zero in two bytes", "\x01\x80" + std::string(1, '\0'), "shortest form"},
      {"an optional that is 2", std::string("\x01\x00\x00\x02", 4), "too large"},
  };
  for (const Bad& row : rows) {
    const auto state = decode_state(row.bytes);
    ASSERT_FALSE(state) << row.name;
    EXPECT_THAT(state.error(), HasSubstr(row.error)) << row.name;
  }
}

TEST(StateCodecTest, EveryTruncationIsAnError) {
  const std::string bytes = encode_state(with_everything());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_state(bytes.substr(0, size))) << size;
  }
}

// Whatever decodes is one state's only encoding; nothing crashes or asks for much memory.
TEST(StateCodecTest, DamagedBytesAreAnErrorOrAnotherState) {
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  const std::string good = encode_state(with_everything());
  int errors = 0;
  constexpr int kRounds = 50'000;
  for (int round = 0; round < kRounds; ++round) {
    std::string bytes = good;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1 + random() % 4);
          break;
        default:
          bytes.insert(at, 1 + random() % 4, static_cast<char>(random()));
          break;
      }
      if (bytes.empty()) break;
    }
    const auto state = decode_state(bytes);
    if (!state) {
      EXPECT_FALSE(state.error().empty());
      ++errors;
    } else {
      ASSERT_EQ(hex(encode_state(*state)), hex(bytes)) << "seed " << kSeed << ", round " << round;
    }
  }
  EXPECT_GT(errors, kRounds / 4);
}

TEST(StateCodecTest, RandomBytesAreSafe) {
  constexpr unsigned kSeed = 11;
  std::mt19937 random(kSeed);
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes("\x01");
    for (auto left = random() % 120; left > 0; --left) {
      bytes += static_cast<char>(random() % 3 == 0 ? random() : random() % 3);
    }
    const auto state = decode_state(bytes);
    if (state) {
      ASSERT_EQ(hex(encode_state(*state)), hex(bytes)) << "seed " << kSeed << ", round " << round;
    } else {
      EXPECT_FALSE(state.error().empty());
    }
  }
}

}  // namespace
}  // namespace rollwatch
