#include "analysis/statistics/codec.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace rollwatch::statistics {
namespace {

using testing::HasSubstr;

Wealth odd_wealth() {
  Wealth wealth = Wealth::start(kPromoteWealth, 6);  // its cash is minus infinity
  wealth.stakes = {-0.0, 1e-300, -1e300, 5e-324, 0.1, std::nextafter(1.0, 2.0)};
  wealth.log_evidence = -745.25;
  wealth.log_most = 800;
  wealth.updates = std::numeric_limits<std::uint64_t>::max();
  return wealth;
}

RateState odd_rate() {
  RateState state = RateState::start();
  state.harm = odd_wealth();
  state.dispersion = {1.5, 2.5, 3.5, 4.5};
  state.candidate_events = 12.25;
  state.fed = 300;
  return state;
}

HistogramState odd_histogram() {
  HistogramState state = HistogramState::start(std::vector{0.1, 0.5});
  state.history = {1, 2, 3};
  state.scores[2].promote = odd_wealth();
  state.scores[1].dispersion.squares = 0.1;
  state.promote_boundary = 2;
  state.fed = 7;
  return state;
}

GaugeState odd_gauge() {
  GaugeState state = GaugeState::start();
  state.differences = {0.1, -0.0, 1e-310};
  return state;
}

CounterTable odd_table() {
  CounterTable table = CounterTable::start(2);
  table.last_at = SysTime(Millis(-5));
  table.series = {{0, 9, 0, 3, 1.5}, {7, 1, 0, 0, 2.5}, {7, 2, 1, 1000, 1e15}};
  return table;
}

ComparisonState odd_comparison(Process process) {
  ComparisonState state;
  state.process = std::move(process);
  state.candidate = odd_table();
  state.stable = CounterTable::start(3);
  state.placebo = PlaceboGuard::start(5);
  state.fed = {{{{1, 0}, {2.5, 1}}, 1.5}};
  state.candidate_sum = -0.0;
  state.look = Look{3, true, 0.25, -1};
  state.history_read = true;
  state.history_slots = 30;
  state.history = {100, 2};
  state.outlook = "a doubling within a minute";
  state.shared = "stable too";
  return state;
}

// With what format 1 has no place for.
ComparisonState of_format_2() {
  ComparisonState state = odd_comparison(odd_histogram());
  state.placebo.members = {{3, 4}, {9, 0}, {std::numeric_limits<std::uint64_t>::max(), 4}};
  state.usual = {1, -0.0, 3};
  state.looks = {{0, true, 0.5, -2}, {2, true, 1e-300, 3}};
  state.candidate_buckets = {1, 2.5, 0};
  state.stable_buckets = {10, 0, 5e-324};
  state.left_out = {0.25, 3};
  return state;
}

template <class State>
void comes_back(const State& state) {
  const std::string bytes = encode(state);
  const auto again = decode<State>(bytes);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, state);
  EXPECT_EQ(encode(*again), bytes);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(decode<State>(std::string_view(bytes).substr(0, length))) << length;
  EXPECT_THAT(decode<State>(bytes + "x").error(), HasSubstr("bytes left over"));
  std::string newer = bytes;
  newer[0] = 3;
  EXPECT_THAT(decode<State>(newer).error(), HasSubstr("written by a newer rollwatchd"));
  std::string other = bytes;
  other[1] = 99;
  EXPECT_THAT(decode<State>(other).error(), HasSubstr("another kind"));
  // Any input is safe, and what is accepted is worth accepting.
  std::mt19937_64 random(bytes.size());
  for (int i = 0; i < 3000; ++i) {
    std::string spoiled = bytes;
    for (int n = 0; n <= i % 3; ++n)
      spoiled[random() % spoiled.size()] = static_cast<char>(random());
    if (const auto read = decode<State>(spoiled)) {
      EXPECT_EQ(encode(*read), spoiled);
    }
  }
}

TEST(StatisticsCodec, EveryStateComesBackToTheBit) {
  comes_back(odd_rate());
  comes_back(odd_histogram());
  comes_back(odd_gauge());
  comes_back(MannWhitneyState{{1, 2}, {3}});
  comes_back(PlaceboGuard::start(6));
  comes_back(odd_table());
  comes_back(CounterTable::start(1));
  comes_back(ComparisonState{});
  comes_back(odd_comparison(odd_rate()));
  comes_back(odd_comparison(odd_histogram()));
  comes_back(odd_comparison(odd_gauge()));
  comes_back(odd_comparison(MannWhitneyState{{1, 2}, {3}}));
  comes_back(CountState{odd_table(), 2.5, SysTime(Millis(7))});
  comes_back(of_format_2());
  comes_back(of_format_2().placebo);
}

TEST(StatisticsCodec, WhatFormat1HasAPlaceForIsWrittenAsItAlwaysWas) {
  using namespace std::string_literals;
  const std::string zero(8, '\0');  // a number that is 0
  const std::string no_table = "\0\0\0"s, no_group = "\0"s + zero, no_slot = "\0"s;
  const std::string empty = "\1\7"s + "\0"s + no_table + no_table + no_group + no_slot + zero +
                            zero + "\0\0\0"s + zero + zero + "\0\0"s;
  const auto read = decode<ComparisonState>(empty);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, ComparisonState{});
  EXPECT_EQ(encode(ComparisonState{}), empty);
  EXPECT_EQ(encode(odd_comparison(odd_histogram())).front(), 1);
  EXPECT_EQ(encode(PlaceboGuard::start(6)).front(), 1);
  EXPECT_EQ(encode(of_format_2()).front(), 2);
  // Equal states are equal bytes: there is one way to write each.
  std::string newer = empty;
  newer[0] = 2;
  newer += std::string(8, '\0');  // no table is packed, no member, no usual value, no look, …
  EXPECT_THAT(decode<ComparisonState>(newer).error(), HasSubstr("a newer format than it needs"));
}

// Of so many pods, each with a histogram of five buckets for each of three routes.
CounterTable large_table(std::uint64_t pods) {
  CounterTable table = CounterTable::start(5);
  table.last_at = SysTime(Millis(7));
  for (std::uint64_t pod = 1; pod <= pods; ++pod)
    for (std::uint32_t part = 0; part < 5; ++part)
      for (const std::uint64_t route : {3U, 500U, 70'000U})
        table.series.push_back({pod * 0x9e3779b97f4a, route << 40U, part,
                                static_cast<std::uint32_t>(pod % 7),
                                static_cast<double>(pod * (part + 1) * route)});
  return table;
}

void put_number(std::string& bytes, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  bytes += static_cast<char>(value);
}

// All but the first byte.
std::string as_format_1(const CounterTable& table) {
  std::string bytes = "\6";
  put_number(bytes, table.parts);
  put_number(bytes, 1);
  put_number(bytes, static_cast<std::uint64_t>((*table.last_at).time_since_epoch().count()));
  put_number(bytes, table.series.size());
  for (const CounterSeries& one : table.series) {
    for (const std::uint64_t number :
         {one.source, one.series, std::uint64_t{one.part}, std::uint64_t{one.missing}})
      put_number(bytes, number);
    const auto bits = std::bit_cast<std::uint64_t>(one.last);
    for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(bits >> shift);
  }
  return bytes;
}

TEST(StatisticsCodec, LargeTablesArePackedAndComeBackToTheBit) {
  CounterTable large = large_table(100);
  large.series[3].last = 0.1;
  large.series[4].last = -0.0;
  large.series[5].last = 9007199254740992.0;
  large.series[6].last = 9007199254740991.0;
  large.series[7].last = 0;
  large.series.erase(large.series.begin() + 20);  // not every pod has every series
  large.series.erase(large.series.begin() + 40, large.series.begin() + 45);
  const std::string bytes = encode(large);
  const auto again = decode<CounterTable>(bytes);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, large);
  EXPECT_TRUE(std::signbit(again->series[4].last));
  EXPECT_EQ(encode(*again), bytes);
  EXPECT_EQ(bytes.front(), 2);
  EXPECT_LT(bytes.size(), large.series.size() * 10) << "and not thirty for each";
  comes_back(CountState{large, 2.5, SysTime(Millis(7))});
  // As an older program wrote it: one after the other, thirty bytes or so each.
  const std::string old = "\1" + as_format_1(large);
  const auto of_old = decode<CounterTable>(old);
  ASSERT_TRUE(of_old) << of_old.error();
  EXPECT_EQ(*of_old, large);
  EXPECT_GT(old.size(), 3 * bytes.size());
  ComparisonState state = of_format_2();
  state.stable = large_table(20);
  comes_back(state);
}

TEST(StatisticsCodec, OfSlotsThatWereFedTheOldestAreTakenTogether) {
  std::vector<FedTick> fed;
  for (int i = 0; i < 1000; ++i) keep(fed, {{{1, 0}, {10, 1}}, 2});
  EXPECT_LE(fed.size(), kKeptTicks);
  EXPECT_EQ(fed.back().tick.candidate.events, 1);
  double events = 0;
  for (const FedTick& one : fed) events += one.tick.candidate.events;
  EXPECT_EQ(events, 1000);
  EXPECT_EQ(fed.front().dispersion, 2);
}

// It would compare as false with everything: neither a rollback nor a promotion could come of it.
TEST(StatisticsCodec, EvidenceThatIsNotANumberIsRefused) {
  RateState evidence = odd_rate(), stake = evidence, cash = evidence;
  evidence.harm.log_evidence = std::nan("7");
  stake.promote.stakes[5] = std::nan("7");
  cash.promote.cash = std::nan("7");
  for (const RateState& state : {evidence, stake, cash})
    EXPECT_THAT(decode<RateState>(encode(state)).error(), HasSubstr("do not belong together"));
}

TEST(StatisticsCodec, PartsThatDoNotBelongTogetherAreRefused) {
  HistogramState history = odd_histogram();
  history.history.pop_back();
  HistogramState scores = odd_histogram();
  scores.scores.pop_back();
  HistogramState boundary = odd_histogram();
  boundary.promote_boundary = 3;
  HistogramState bounds = odd_histogram();
  bounds.bounds[1] = 0.1;
  for (const HistogramState& state : {history, scores, boundary, bounds})
    EXPECT_THAT(decode<HistogramState>(encode(state)).error(), HasSubstr("do not belong together"));
  RateState bets = odd_rate();
  bets.promote.bets = 5;
  EXPECT_THAT(decode<RateState>(encode(bets)).error(), HasSubstr("do not belong together"));
  ComparisonState buckets = of_format_2(), usual = buckets, arms = buckets, unknown = buckets,
                  group = buckets, members = buckets;
  buckets.candidate_buckets = buckets.stable_buckets = {1};
  usual.usual.pop_back();
  arms.stable_buckets.clear();
  unknown.usual[1] = std::nan("7");
  group.placebo.members[1].group = 5;
  std::swap(members.placebo.members[0], members.placebo.members[1]);
  for (const ComparisonState& state : {buckets, usual, arms, unknown, group, members})
    EXPECT_THAT(decode<ComparisonState>(encode(state)).error(),
                HasSubstr("do not belong together"));
  CounterTable order = odd_table();
  std::swap(order.series[0], order.series[1]);
  CounterTable part = odd_table();
  part.series[2].part = 2;
  for (const CounterTable& state : {order, part})
    EXPECT_THAT(decode<CounterTable>(encode(state)).error(), HasSubstr("do not belong together"));
}

// A comparison that is saved and resumed after every slot, beside one that is not.
template <class State, class Step>
void goes_on_as_if_nothing_happened(State kept, const Step& step) {
  State resumed = kept;
  for (int slot = 0; slot < 80; ++slot) {
    step(kept, slot);
    step(resumed, slot);
    auto again = decode<State>(encode(resumed));
    ASSERT_TRUE(again) << again.error();
    resumed = *std::move(again);
    ASSERT_EQ(encode(kept), encode(resumed)) << "slot " << slot;
  }
}

TEST(StatisticsCodec, SavedAndResumedInTheMiddleEverythingGoesOn) {
  const auto noise = [](int slot) { return std::fabs(std::sin(7.3 * slot)); };
  const RateRules rate;
  goes_on_as_if_nothing_happened(RateState::start(), [&](RateState& state, int slot) {
    const std::vector<ArmCounts> pods{{100, 2 * noise(slot)}, {90, 3 * noise(slot + 1)}};
    state.update(rate, {{50, slot > 40 ? 5 * noise(slot) : 1}, sum_of(pods)}, pods);
  });
  const HistogramRules histogram;
  const std::vector<double> bounds{0.1, 0.2, 0.5};
  const HistogramScales scales(histogram, bounds);
  goes_on_as_if_nothing_happened(HistogramState::start(bounds), [&](auto& state, int slot) {
    const std::vector<double> pods{100, 50 * noise(slot), 9, 1, 90, 60, 7 * noise(slot + 1), 2};
    const std::vector<double> candidate{10, 5, 1 + noise(slot), 1};
    if (slot < 10)
      state.observe(histogram, scales, pods);
    else
      state.update(histogram, scales, candidate, pods);
  });
  const GaugeRules gauge;
  goes_on_as_if_nothing_happened(GaugeState::start(), [&](GaugeState& state, int slot) {
    state.update(gauge, 1 + noise(slot), 1 + noise(slot + 9));
  });
  goes_on_as_if_nothing_happened(MannWhitneyState{}, [&](MannWhitneyState& state, int slot) {
    state.update(noise(slot), noise(slot + 3));
  });
  goes_on_as_if_nothing_happened(PlaceboGuard::start(6), [&](PlaceboGuard& state, int slot) {
    std::vector<ArmCounts> groups(6, ArmCounts{100, noise(slot)});
    groups[2].bad = 4;
    state.update(rate.tolerance, groups, 1.5);
  });
}

}  // namespace
}  // namespace rollwatch::statistics
