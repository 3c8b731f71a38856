// Cursors: opaque, of one list each, and refused with words where they are not one of its own.
#include "daemon/api/cursors.h"

#include "test/api/api_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

constexpr const char* kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

TEST(Cursors, SayTheirPlaceToTheirListAlone) {
  for (const std::string place : {"1", "42", "r-ro_01m7vvmqzwpzvbt9yezb8wr2rr", "d-9", "\xff"}) {
    const std::string cursor = seal_cursor("events of ro_1", place);
    EXPECT_THAT(cursor, MatchesRegex("[A-Za-z0-9_-]+")) << place;
    EXPECT_THAT(cursor, Not(HasSubstr("ro_"))) << "opaque";
    EXPECT_EQ(open_cursor("events of ro_1", cursor), place);
    for (const char* other : {"events of ro_2", "evaluations of ro_1", "rollouts", ""})
      EXPECT_EQ(open_cursor(other, cursor), std::nullopt) << other;
  }
}

TEST(Cursors, ThatWereChangedAnywhereAreNone) {
  const std::string cursor = seal_cursor("rollouts", "r-ro_1");
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    for (const char* other = kAlphabet; *other != '\0'; ++other) {
      std::string changed = cursor;
      changed[i] = *other;
      if (changed == cursor) continue;
      EXPECT_EQ(open_cursor("rollouts", changed), std::nullopt) << changed;
    }
    EXPECT_EQ(open_cursor("rollouts", cursor.substr(0, i)), std::nullopt) << i;
    EXPECT_EQ(open_cursor("rollouts", cursor.substr(i + 1)), std::nullopt) << i;
  }
  for (const std::string more : {"A", "AA", "AAAA", "=", "==", " ", "\n", ".", "%"})
    EXPECT_EQ(open_cursor("rollouts", cursor + more), std::nullopt) << more;
  EXPECT_EQ(open_cursor("rollouts", std::string(1'000'000, 'A')), std::nullopt);
}

class CursorTest : public ApiTest {
 protected:
  CursorTest() {
    service.rollouts["ro_1"] = sample_rollout();
    service.rollouts["ro_2"] = sample_rollout();
    service.rollouts["ro_2"].spec.id = "ro_2";
  }
};

// A number of one rollout's history was taken for one of any other's, and of every other list.
TEST_F(CursorTest, ACursorThatTheListDidNotGiveIsRefusedWithWords) {
  const std::string lists[] = {"/api/v1/rollouts",
                               "/api/v1/rollouts/ro_1/evaluations",
                               "/api/v1/rollouts/ro_1/events",
                               "/api/v1/rollouts/ro_1/deliveries",
                               "/api/v1/rollouts/ro_2/evaluations",
                               "/api/v1/rollouts/ro_2/events",
                               "/api/v1/rollouts/ro_2/deliveries"};
  const std::string names[] = {"rollouts",           "evaluations of ro_1", "events of ro_1",
                               "deliveries of ro_1", "evaluations of ro_2", "events of ro_2",
                               "deliveries of ro_2"};
  for (std::size_t asked = 0; asked < std::size(lists); ++asked) {
    for (std::size_t given = 0; given < std::size(lists); ++given) {
      const ServerResponse answer =
          ask("GET", lists[asked] + "?cursor=" + seal_cursor(names[given], "7"));
      if (asked == given)
        EXPECT_EQ(answer.status, 200) << lists[asked] << answer.body;
      else
        EXPECT_THAT(problem_of(answer), HasSubstr("422 ?cursor: is not one that this list gave"))
            << names[given] << " at " << lists[asked];
    }
    for (const char* made_up : {"7", "x", "-1", "99999999999", "r-ro_1", "d-7", "", "%20"})
      EXPECT_THAT(problem_of(ask("GET", lists[asked] + "?cursor=" + made_up)),
                  HasSubstr("422 ?cursor: is not one that this list gave"))
          << made_up;
  }
}

// Nobody gives such ones; who makes the seal himself gets no further.
TEST_F(CursorTest, ASealedPlaceThatIsNoneIsRefusedAsWell) {
  const struct Row {
    const char* path;
    const char* list;
    const char* place;
  } rows[] = {{"", "rollouts", "bad"},
              {"/ro_1/evaluations", "evaluations of ro_1", "x"},
              {"/ro_1/evaluations", "evaluations of ro_1", "99999999999"},
              {"/ro_1/events", "events of ro_1", "-1"},
              {"/ro_1/deliveries", "deliveries of ro_1", "bad"}};
  for (const Row& row : rows)
    EXPECT_THAT(problem_of(ask("GET", std::string("/api/v1/rollouts") + row.path +
                                          "?cursor=" + seal_cursor(row.list, row.place))),
                HasSubstr("422 ?cursor: is not one that this list gave"))
        << row.list;
  EXPECT_THAT(service.asked, IsEmpty());
}

TEST_F(CursorTest, ThePlaceIsHandedToTheStoreAsItGaveIt) {
  ask("GET", "/api/v1/rollouts/ro_1/deliveries?limit=3&cursor=" +
                 seal_cursor("deliveries of ro_1", "d-8"));
  EXPECT_THAT(service.asked, ElementsAre("deliveries 3 d-8"));
}

}  // namespace
}  // namespace rollwatch
