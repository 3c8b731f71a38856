// A freeze takes orders back; what a person had decided before it is still their decision after it.
#include <gtest/gtest.h>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

void asks_for_approval(Plan& plan) {
  plan.approve_promote = true;
  plan.steps[0].approve = true;
}

struct FreezeRow {
  const char* name;
  const char* story;
  const char* ends;
  void (*change)(Plan&) = nullptr;
};

// Steps of 5 % and 25 %, 30 s each, slots every 10 s.
const FreezeRow kAfterTheFreeze[] = {
    {"the engine's own step is decided anew", "begin ack pass*4 freeze thaw",
     "analyzing step 0 (5 %) passing"},
    {"and by the next slot", "begin ack pass*4 freeze thaw pass",
     "analyzing step 0 (5 %) passing, out: advance 25 %"},
    {"a person's advance is ordered again", "begin ack pass advance freeze thaw",
     "analyzing step 0 (5 %) passing, out: advance 25 %"},
    {"and again after another freeze", "begin ack pass advance freeze thaw freeze thaw",
     "analyzing step 0 (5 %) passing, out: advance 25 %"},
    {"an approval is not asked for twice", "begin ack pass*4 resume freeze thaw",
     "analyzing step 0 (5 %) passing, out: advance 25 %", asks_for_approval},
    {"nor that of the promotion", "begin ack pass*4 resume ack pass*4 resume freeze thaw",
     "promoting step 1 (25 %) passing, out: promote 100 %", asks_for_approval},
    {"a person's promotion is ordered again", "begin ack pass promote freeze thaw",
     "promoting step 0 (5 %) pending, out: promote 100 %"},
    {"the first step is ordered again", "begin freeze thaw", "analyzing pending, out: advance 5 %"},
    {"an advance that had its effect is not", "begin ack pass advance freeze late-ack thaw",
     "analyzing step 1 (25 %) pending"},
    {"nor one whose weight was reported", "begin ack pass advance freeze report=25 thaw",
     "analyzing step 1 (25 %) pending"},
    {"nor one that was paused since", "begin ack pass advance freeze pause thaw",
     "paused step 0 (5 %) passing, asks: person_paused, out: pause 5 %"},
    {"a failure in between goes first", "begin ack pass advance freeze fail*3 thaw",
     "rolling_back step 0 (5 %) failed, out: rollback 0 %"},
};

TEST(AdvanceFreeze, WhatWasDecidedBefore) {
  for (const FreezeRow& row : kAfterTheFreeze) {
    SCOPED_TRACE(row.name);
    Plan plan = error_rate();
    if (row.change != nullptr) row.change(plan);
    Rollout r(std::move(plan));
    r.play(row.story);
    EXPECT_EQ(r.show(), row.ends);
  }
}

TEST(AdvanceFreeze, ItsEventsNameWhoAndWhy) {
  Rollout r(error_rate());
  r.play("begin ack pass");
  r.happens(FreezeChanged{"frozen by ana: stocktaking", "ana", "stocktaking"});
  EXPECT_EQ(r.events.back().type, EventType::kFrozen);
  EXPECT_EQ(r.events.back().by, "ana");
  EXPECT_EQ(r.events.back().reason, "stocktaking");
  r.happens(FreezeChanged{std::nullopt, "ben", "done"});
  EXPECT_EQ(r.events.back().type, EventType::kThawed);
  EXPECT_EQ(r.events.back().summary, "no longer frozen by ana: stocktaking");
  EXPECT_EQ(r.events.back().by, "ben");
  EXPECT_EQ(r.events.back().reason, "done");
  r.play("freeze thaw");
  EXPECT_EQ(r.events.back().by, "engine");
}

// Two freezes that end in the same moment; what somebody wrote is left as it is.
TEST(AdvanceFreeze, BothOfTwoAreNoLongerFrozen) {
  const char* rows[][2] = {
      {"frozen by ana: x; everything is frozen by bob: y",
       "no longer frozen by ana: x; everything is no longer frozen by bob: y"},
      {"everything is frozen by bob: y", "everything is no longer frozen by bob: y"},
      {"frozen by ana: everything is frozen", "no longer frozen by ana: everything is frozen"},
  };
  for (const auto& [frozen, thawed] : rows) {
    Rollout r(error_rate());
    r.play("begin ack pass");
    r.happens(FreezeChanged{frozen, "ana", ""});
    r.happens(FreezeChanged{std::nullopt, "ben", "done"});
    EXPECT_EQ(r.events.back().summary, thawed);
  }
}

// The kept sentence is cut: the same freeze again must not look like another one.
TEST(AdvanceFreeze, ALongSentenceIsOneFreeze) {
  Rollout r(error_rate());
  r.play("begin ack pass");
  const FreezeChanged wordy{"frozen by ana: " + std::string(2000, 'x'), "ana", ""};
  r.happens(wordy);
  EXPECT_EQ(r.told(EventType::kFrozen), 1);
  r.happens(wordy);
  EXPECT_EQ(r.told(EventType::kFrozen), 1);
  EXPECT_FALSE(r.last.changed());
}

}  // namespace
}  // namespace rollwatch
