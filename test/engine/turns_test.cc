// What a question carries for who goes first where there are more questions than connections.
#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

using TurnsTest = EngineTest;

// Else whoever had bad luck once would have it for ever: it would look as if it had just been
// answered.
TEST_F(TurnsTest, WhoWaitedInVainIsNotTakenForAnswered) {
  begin("1.1");
  world.advance(kMinute);
  const Question before = world.asked().back().question;
  const SysTime answered = world.asked().back().at;
  EXPECT_EQ(before.last_answered, answered - Millis{10'000});

  world.metrics_are("errors", {Behaviour::Kind::kOverload, {}});
  world.advance(kMinute);
  ASSERT_GT(world.asked().back().at, answered + Millis{30'000});
  EXPECT_EQ(world.asked().back().question.last_answered, answered);

  // An error is an answer: the server had its turn.
  world.metrics_are("errors", {Behaviour::Kind::kHttpError, {}});
  world.advance(kMinute);
  EXPECT_EQ(world.asked().back().question.last_answered, world.asked().back().at - Millis{10'000});
}

}  // namespace
}  // namespace rollwatch
