// Thousands of random rollouts through the real transition function and through the slow model of
// the rules: the same verdicts, the same decisions, the same orders, after every input.
#include "test/model/model.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "test/analysis/run_invariants.h"
#include "test/model/story.h"

namespace rollwatch::model {
namespace {

constexpr unsigned kSeeds = 5'000;
constexpr int kSteps = 120;

// More of them on demand: ROLLWATCH_MODEL_SEEDS=1000000.
unsigned seeds() {
  const char* more = std::getenv("ROLLWATCH_MODEL_SEEDS");
  return more == nullptr ? kSeeds : static_cast<unsigned>(std::strtoul(more, nullptr, 10));
}

TEST(ModelTest, BothSaySoWhateverHappens) {
  for (unsigned seed = 1; seed <= seeds(); ++seed) {
    const Story story = random_story(seed, kSteps);
    const auto mismatch = play(story);
    if (!mismatch) continue;
    const Story least = shrink(story);
    const auto rest = play(least);
    FAIL() << "seed " << seed << ", step " << mismatch->step << "; shortened:\n"
           << in_words(least) << (rest ? rest->difference : mismatch->difference);
  }
}

std::string of_whom(const Decision& d) {
  return (d.would_have ? "would have " : "") + std::string(name_of(d.kind)) +
         (d.by_alerts ? " for an alert" : "") + (d.by == "engine" ? "" : " by a person");
}

std::string while_it_was(const RolloutState& state) {
  if (state.recovery) return "after a rollback: ";
  if (state.freeze) return "frozen: ";
  return state.state == State::kWaiting ? "waiting: " : "";
}

// Counts by name what happened to one of them, and holds every step against the rules that are
// never broken.
void count(const Story& story, std::map<std::string, int>& happened,
           RunInvariants::Applied& applied) {
  const Fixed fixed{story.spec, story.plan};
  RunInvariants run(fixed);
  RolloutState state = registration_of(story).state;
  for (std::size_t i = 0; i < story.happenings.size() && !testing::Test::HasFailure(); ++i) {
    const Happening& h = story.happenings[i];
    SCOPED_TRACE("step " + std::to_string(i + 1));
    const Transition step = advance(fixed, state, h.input, h.now);
    run.expect_kept(state, h.input, step);
    if (step.refusal) continue;
    for (const Decision& d : step.decisions) ++happened[of_whom(d)];
    for (const Event& event : step.events) ++happened["told " + std::string(name_of(event.type))];
    if (step.state.question && step.state.questions_asked > state.questions_asked)
      ++happened["asked " + std::string(name_of(step.state.question->kind))];
    ++happened[std::string(name_of(step.state.state))];
    if (state.lapsed && !step.state.lapsed && std::holds_alternative<OrderEnded>(h.input))
      ++happened[is_final(state.state) ? "late, failed"
                 : state.question      ? "late, expired"
                                       : "late, withdrawn"];
    if (std::holds_alternative<RollbackSentAgain>(h.input)) ++happened["sent again"];
    if (is_final(state.state) && state.order && !step.state.order)
      ++happened[step.state.lapsed        ? "failed again"
                 : step.withdrawn.empty() ? "done again"
                                          : "taken back again"];
    if (!state.begun && state.older_active && step.state.state == State::kRolledBack)
      ++happened["rolled back without an order"];
    for (const Evaluation& e : step.evaluations)
      ++happened[while_it_was(state) + std::string(name_of(e.judgement.outcome))];
    state = step.state;
  }
  applied += run.applied();
}

// What never happens to any of them is not compared; and the rules are kept in all of them.
TEST(ModelTest, EverythingHappensToSomeOfThem) {
  std::map<std::string, int> happened;
  RunInvariants::Applied applied;
  for (unsigned seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    count(random_story(seed, kSteps), happened, applied);
    if (HasFailure()) return;
  }
  expect_often(applied);
  std::vector<std::string> wanted{"late, expired",
                                  "late, withdrawn",
                                  "told recovered",
                                  "told still_bad",
                                  "would have rollback",
                                  "would have pause",
                                  "rollback for an alert",
                                  "pause for an alert",
                                  "would have rollback for an alert",
                                  "late, failed",
                                  "sent again",
                                  "failed again",
                                  "done again",
                                  "taken back again",
                                  "rolled back without an order"};
  for (int i = 0; i <= static_cast<int>(State::kSuperseded); ++i)
    wanted.emplace_back(name_of(static_cast<State>(i)));
  for (int i = 0; i <= static_cast<int>(kLastQuestionKind); ++i)
    if (static_cast<QuestionKind>(i) != QuestionKind::kApproveStart)  // at the registration
      wanted.push_back("asked " + std::string(name_of(static_cast<QuestionKind>(i))));
  for (int i = 0; i <= static_cast<int>(DecisionKind::kExtend); ++i) {
    const auto kind = static_cast<DecisionKind>(i);
    wanted.push_back(std::string(name_of(kind)) + " by a person");
    if (kind != DecisionKind::kCancel && kind != DecisionKind::kExtend)
      wanted.emplace_back(name_of(kind));
  }
  for (const char* when : {"", "waiting: ", "frozen: ", "after a rollback: "})
    for (int i = 0; i < static_cast<int>(kOutcomeCount); ++i)
      wanted.push_back(when + std::string(name_of(static_cast<Outcome>(i))));
  for (const std::string& what : wanted) EXPECT_GT(happened[what], 0) << "never: " << what;
}

}  // namespace
}  // namespace rollwatch::model
