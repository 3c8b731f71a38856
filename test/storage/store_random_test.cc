// Random commits, refusals, ends, deletions and restarts, beside a store that is a map: every
// answer is the same.
#include <gmock/gmock.h>

#include <cstdlib>
#include <map>
#include <random>

#include "analysis/state_codec.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

constexpr int kDeeds = 1'500;
constexpr int kDeedsFarAway = 400;  // for a store that has a server of its own
constexpr std::size_t kMostAlive = 8;

struct Remembered {
  RolloutState state;
  std::vector<StoredEvaluation> evaluations;
  bool is_active() const { return !is_over(state); }
};
using Memory = std::map<std::string, Remembered>;

// The state under a number that says which: equal bytes, equal text.
std::string text_of_state(const RolloutState& state) {
  return std::string(name_of(state.state)) + " " + std::to_string(state.revision) + " " +
         std::to_string(std::hash<std::string>()(encode_state(state)));
}

class StoreRandomTest : public StoreTest {
 protected:
  StoreRandomTest() : seed_(seed()), random_(seed_) {}

  static unsigned seed() {
    const char* chosen = std::getenv("ROLLWATCH_STORE_SEED");
    return chosen != nullptr ? static_cast<unsigned>(std::atoi(chosen)) : 20'261'126;
  }

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_()) % limit; }
  bool one_in(unsigned n) { return below(n) == 0; }

  std::vector<std::string> alive() const {
    std::vector<std::string> ids;
    for (const auto& [id, one] : memory_)
      if (one.is_active()) ids.push_back(id);
    return ids;
  }

  void register_one() {
    const std::string id = rollout_id(++registered_);
    Commit commit = registration(id, "target-" + std::to_string(registered_));
    Remembered& one = memory_[id];
    if (one_in(4)) add_evaluations(commit, one, 1 + below(2));
    one.state = *commit.state;
    record_one(std::move(commit));
  }

  void add_evaluations(Commit& commit, Remembered& one, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const unsigned last = one.evaluations.empty() ? 0 : one.evaluations.back().number;
      StoredEvaluation evaluation = full_evaluation(last + 1 + (one_in(9) ? below(3) : 0));
      evaluation.duration = Millis(below(1'000));
      commit.evaluations.push_back(evaluation);
      one.evaluations.push_back(evaluation);
    }
  }

  // What a rollout may commit next; `one` is changed with it.
  Commit next_commit(const std::string& id, Remembered& one) {
    Commit commit;
    commit.rollout = id;
    const unsigned many = one_in(60) ? 50 + below(90) : below(4);
    add_evaluations(commit, one, many);
    if (!one_in(8)) {
      constexpr std::array kStates{State::kAnalyzing, State::kAnalyzing, State::kAnalyzing,
                                   State::kPaused, State::kSoaking};
      RolloutState state = one.state;
      if (one_in(5)) state.state = kStates[below(kStates.size())];
      ++state.revision;
      state.reason = std::string(below(400), 'r');
      state.updated_at = kNow + Millis(++clock_);
      commit.state = one.state = state;
    }
    if (one_in(10)) commit.events.push_back(full_event());
    return commit;
  }

  std::vector<Commit> next_batch(Memory& after) {
    std::vector<Commit> batch;
    const std::vector<std::string> ids = alive();
    for (unsigned left = 1 + below(6); left > 0; --left) {
      const std::string& id = ids[below(static_cast<unsigned>(ids.size()))];
      batch.push_back(next_commit(id, after.at(id)));
    }
    return batch;
  }

  void record_batch() {
    Memory after = memory_;
    record(next_batch(after));
    memory_ = std::move(after);
  }

  // Everything in it would change something, but for its last commit.
  void refuse_batch() {
    Memory after = memory_;
    std::vector<Commit> batch = next_batch(after);
    if (one_in(2)) {
      batch.push_back(step("ro_none", 1));
    } else {
      Commit again;
      const auto with_some = std::find_if(after.begin(), after.end(), [](const auto& one) {
        return !one.second.evaluations.empty();
      });
      if (with_some == after.end()) return;
      again.rollout = with_some->first;
      again.evaluations = {
          with_some->second
              .evaluations[below(static_cast<unsigned>(with_some->second.evaluations.size()))]};
      batch.push_back(std::move(again));
    }
    EXPECT_NE(refusal(std::move(batch)), "");
  }

  void end_one() {
    const std::vector<std::string> ids = alive();
    const std::string& id = ids[below(static_cast<unsigned>(ids.size()))];
    Remembered& one = memory_.at(id);
    Commit commit = next_commit(id, one);
    one.state.state = State::kPromoted;
    one.state.ended_at = kNow + Millis(++clock_);
    commit.state = one.state;
    record_one(std::move(commit));
  }

  void forget_some() {
    const std::size_t limit = 1 + below(3);
    std::vector<std::pair<SysTime, std::string>> ended;
    for (const auto& [id, one] : memory_)
      if (!one.is_active()) ended.emplace_back(*one.state.ended_at, id);
    std::sort(ended.begin(), ended.end());
    if (ended.size() > limit) ended.resize(limit);
    EXPECT_EQ(wait(store_->forget(kNow + std::chrono::years(1), limit)), ended.size());
    for (const auto& [at, id] : ended) {
      memory_.erase(id);
      EXPECT_FALSE(wait(store_->rollout(id)));
      EXPECT_THAT(wait(store_->evaluations(id, 0, 5)).items, testing::IsEmpty());
    }
  }

  void look_at_one() {
    const auto at = std::next(memory_.begin(), below(static_cast<unsigned>(memory_.size())));
    const auto& [id, one] = *at;
    EXPECT_EQ(text_of_state(wait(store_->rollout(id)).value().state), text_of_state(one.state));
    const unsigned last = one.evaluations.empty() ? 0 : one.evaluations.back().number;
    const std::uint32_t after = one_in(3) ? 0 : below(last + 2);
    const std::size_t limit = 1 + below(one_in(3) ? 300 : 20);
    std::string expected, found;
    std::size_t left = limit;
    bool is_more = false;
    for (const StoredEvaluation& evaluation : one.evaluations) {
      if (evaluation.number <= after) continue;
      is_more = left == 0;
      if (is_more) break;
      --left;
      expected += text_of(evaluation) + "\n";
    }
    const auto page = wait(store_->evaluations(id, after, limit));
    for (const StoredEvaluation& evaluation : page.items) found += text_of(evaluation) + "\n";
    EXPECT_EQ(found, expected) << id << " after " << after << ", at most " << limit;
    EXPECT_EQ(page.next_cursor.has_value(), is_more);
  }

  void look_at_all() {
    std::string expected, found;
    for (const auto& [id, one] : memory_)
      if (one.is_active()) expected += id + " " + text_of_state(one.state) + "\n";
    for (const StoredRollout& one : wait(store_->active(std::nullopt)))
      found += one.spec.id + " " + text_of_state(one.state) + "\n";
    EXPECT_EQ(found, expected);

    ListFilter filter;
    filter.states = {State::kPaused};
    expected.clear();
    found.clear();
    for (auto one = memory_.rbegin(); one != memory_.rend(); ++one)
      if (one->second.state.state == State::kPaused)
        expected += one->first + " " + text_of_state(one->second.state) + "\n";
    for (const StoredRollout& one : wait(store_->list(filter, 1'000, std::nullopt)).items)
      found += one.spec.id + " " + text_of_state(one.state) + "\n";
    EXPECT_EQ(found, expected);
  }

  void do_something() {
    const unsigned dice = below(100);
    if (alive().size() < 2 || (dice < 4 && alive().size() < kMostAlive)) return register_one();
    if (dice < 8) return refuse_batch();
    if (dice < 10) return end_one();
    if (dice < 12) return forget_some();
    if (dice < 14) return reopen();
    if (dice < 30) return look_at_one();
    record_batch();
  }

  const unsigned seed_;
  std::mt19937 random_;
  Memory memory_;
  int registered_ = 0;
  int clock_ = 0;
};

TEST_P(StoreRandomTest, AnswersAsAMapWould) {
  const int deeds = GetParam().name == "Sqlite" ? kDeeds : kDeedsFarAway;
  for (int deed = 0; deed < deeds && !HasFailure(); ++deed) {
    SCOPED_TRACE("ROLLWATCH_STORE_SEED=" + std::to_string(seed_) + ", deed " +
                 std::to_string(deed));
    do_something();
    if (deed % 50 == 0 && !memory_.empty()) look_at_all();
  }
  for (const auto& [id, one] : memory_)
    EXPECT_EQ(wait(store_->evaluations(id, 0, 100'000)).items.size(), one.evaluations.size());
}

ROLLWATCH_FOR_EVERY_STORE(StoreRandomTest);

}  // namespace
}  // namespace rollwatch
