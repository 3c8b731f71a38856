// What people say afterwards of how a rollout ended: recorded, shown, and nothing follows from it.
#include <gmock/gmock.h>

#include "daemon/engine/labels.h"
#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Labels : public EngineTest {
 protected:
  LabelResult label(const std::string& id, bool right, const std::string& why) {
    DecisionLabel said;
    said.right = right;
    said.by = "ana";
    said.reason = why;
    return world.run(world.engine().label(id, said, Via{"oncall", "10.1.2.3"}));
  }
  std::string rolled_back() {
    const std::string id = begin("1.1");
    world.advance(minutes{1});
    world.decide(id, person(DecisionKind::kRollback));
    world.settle();
    EXPECT_EQ(state(id), State::kRolledBack);
    return id;
  }
  std::vector<StoredEvent> labels_of(const std::string& id) {
    std::vector<StoredEvent> found;
    for (StoredEvent& event : world.events(id))
      if (event.event.type == EventType::kLabelled) found.push_back(std::move(event));
    return found;
  }
};

TEST_F(Labels, AreInTheRecordAndBesideTheRollout) {
  const std::string id = rolled_back();
  EXPECT_FALSE(world.rollout(id).label);
  const unsigned revision = world.rollout(id).state.revision;
  const LabelResult said = label(id, false, "the errors came from the load test");
  ASSERT_EQ(said.end, DecideEnd::kDone) << said.why;
  ASSERT_TRUE(said.rollout && said.rollout->label);
  EXPECT_EQ(said.rollout->label->word(), "wrong");

  const RolloutView view = world.rollout(id);
  ASSERT_TRUE(view.label);
  EXPECT_FALSE(view.label->right);
  EXPECT_EQ(view.label->by, "ana");
  EXPECT_EQ(view.label->reason, "the errors came from the load test");
  EXPECT_EQ(view.label->at, world.now());
  EXPECT_EQ(view.state.state, State::kRolledBack);
  EXPECT_EQ(view.state.revision, revision) << "nothing follows from it";
  const auto events = labels_of(id);
  ASSERT_EQ(events.size(), 1U);
  const Event& event = events[0].event;
  EXPECT_EQ(event.summary,
            "the rollback is labelled wrong by ana: the errors came from the load test");
  EXPECT_EQ(event.by, "ana");
  EXPECT_EQ(event.reason, "the errors came from the load test");
  EXPECT_EQ(event.via, (Via{"oncall", "10.1.2.3"}));
  EXPECT_EQ(event.kind, DecisionKind::kRollback);
}

// One that was rolled back is in memory while its recovery is watched, and in the store alone
// afterwards.
TEST_F(Labels, AreThereWhileItIsWatchedAndLaterAndAfterARestart) {
  const std::string id = rolled_back();
  label(id, false, "a bad limit");
  world.restart(minutes{1});
  ASSERT_TRUE(world.rollout(id).label);
  world.advance(minutes{30});
  ASSERT_TRUE(world.rollout(id).label);
  EXPECT_EQ(label(id, true, "it was bad after all").end, DecideEnd::kDone) << "the latest counts";
  EXPECT_TRUE(world.rollout(id).label->right);
  EXPECT_EQ(labels_of(id).size(), 2U);
  const auto page = world.run(world.engine().list({}, 10, std::nullopt));
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_TRUE(page.items[0].label) << "in lists as well";
}

TEST_F(Labels, AreOfADecisionOnly) {
  EXPECT_EQ(label("ro_none", true, "x").end, DecideEnd::kNotFound);
  const std::string id = begin("1.1");
  const LabelResult early = label(id, true, "looks good");
  EXPECT_EQ(early.end, DecideEnd::kConflict);
  EXPECT_THAT(early.why, HasSubstr("it is analyzing: only a rollout that was promoted or rolled"));
  world.decide(id, person(DecisionKind::kCancel));
  EXPECT_EQ(label(id, true, "it was wise").end, DecideEnd::kConflict);
  EXPECT_THAT(labels_of(id), IsEmpty());

  const std::string other = world.register_rollout(spec("1.1", "cart")).rollout->spec.id;
  world.advance(minutes{1});
  world.decide(other, person(DecisionKind::kPromote));
  world.settle();
  ASSERT_EQ(state(other), State::kPromoted);
  ASSERT_EQ(label(other, false, "it broke at night").end, DecideEnd::kDone);
  EXPECT_THAT(labels_of(other)[0].event.summary, HasSubstr("the promotion is labelled wrong"));
}

TEST_F(Labels, NothingIsSaidIfTheStoreIsAway) {
  const std::string id = rolled_back();
  world.advance(minutes{30});
  world.store_fails(true);
  EXPECT_THROW(label(id, false, "a bad limit"), StoreError);
  world.store_fails(false);
  EXPECT_FALSE(world.rollout(id).label);
}

TEST(LabelText, IsReadBackAndNothingElseIs) {
  const DecisionLabel label{true, "ana", "\"quoted\" \xff", SysTime{Millis{1'795'157'549'057}}};
  const auto read = read_label(label_text(label));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->right);
  EXPECT_EQ(read->by, "ana");
  EXPECT_THAT(read->reason, HasSubstr("\"quoted\""));
  EXPECT_EQ(read->at, label.at);
  for (const char* text : {"", "{", "[]", "{\"label\": \"right\"}", "{\"label\": 1, \"at\": 2}"})
    EXPECT_FALSE(read_label(text)) << text;
}

TEST(LabelText, OneSentence) {
  const DecisionLabel label{false, "", std::string(1000, 'x'), SysTime{}};
  const std::string sentence = label_sentence(DecisionKind::kPromote, label);
  EXPECT_THAT(sentence,
              testing::StartsWith("the promotion is labelled wrong by nobody named: xxx"));
  EXPECT_LT(sentence.size(), 300U);
}

}  // namespace
}  // namespace rollwatch
