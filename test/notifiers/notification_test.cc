#include "notifiers/notification.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

TEST(Notification, IsReadBackAsItWasStored) {
  RolloutSpec spec;
  spec.id = "ro_01jg";
  Event event;
  event.type = EventType::kDecided;
  event.at = SysTime{Millis{1'767'323'045'678}};
  event.state = State::kRollingBack;
  event.step = 1;
  event.weight = 25;
  event.summary = "error-rate 0.083 > 0.05, \"3 of 3\"\n";
  event.by = "alice";
  event.reason = "h\u00e4sslich";
  event.condition = "error-rate";
  event.value = 0.083;
  event.rule = "> 0.05";
  event.decision = 4;
  event.kind = DecisionKind::kRollback;
  event.question = "q2";
  event.datasource = "default";

  Notice told = notice_of(spec, event);
  told.subject = "datasource default";
  const auto notice = from_payload(to_payload(told));
  ASSERT_TRUE(notice.has_value());
  EXPECT_EQ(notice->event, EventType::kDecided);
  EXPECT_EQ(notice->at, event.at);
  EXPECT_EQ(notice->state, "rolling_back");
  EXPECT_EQ(notice->step, 1);
  EXPECT_EQ(notice->weight, 25);
  EXPECT_EQ(notice->summary, event.summary);
  EXPECT_EQ(notice->by, "alice");
  EXPECT_EQ(notice->reason, event.reason);
  EXPECT_EQ(notice->condition, "error-rate");
  EXPECT_EQ(notice->value, 0.083);
  EXPECT_EQ(notice->rule, "> 0.05");
  EXPECT_EQ(notice->kind, "rollback");
  EXPECT_EQ(notice->decision, decision_id(spec, 4));
  EXPECT_EQ(notice->question, "q2");
  EXPECT_EQ(notice->datasource, "default");
  EXPECT_EQ(notice->subject, "datasource default");
}

TEST(Notification, WhatIsNotSetStaysUnset) {
  const auto notice = from_payload(to_payload(notice_of(RolloutSpec{}, Event{})));
  ASSERT_TRUE(notice.has_value());
  EXPECT_EQ(notice->step, -1);
  EXPECT_FALSE(notice->weight.has_value());
  EXPECT_FALSE(notice->value.has_value());
  EXPECT_EQ(notice->kind, "");
  EXPECT_EQ(notice->decision, "");
}

TEST(Notification, OtherTextIsNone) {
  for (const char* text : {"", "{", "[]", "7", "{}", R"({"event": "paused"})",
                           R"({"event": "no", "at": "2026-01-02T03:04:05Z"})",
                           R"({"event": 7, "at": "2026-01-02T03:04:05Z"})"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(from_payload(text).has_value());
  }
}

TEST(Notification, EventNames) {
  EXPECT_EQ(event_type("registered"), EventType::kRegistered);
  EXPECT_EQ(event_type("note"), EventType::kNote);
  EXPECT_EQ(event_type("rolled_back"), EventType::kRolledBack);
  EXPECT_EQ(event_type("rolling_back"), std::nullopt);
  for (int i = 0; i <= static_cast<int>(kLastEventType); ++i)
    EXPECT_EQ(event_type(name_of(static_cast<EventType>(i))), static_cast<EventType>(i));
  EXPECT_TRUE(is_event_name("rolling_back"));
  EXPECT_TRUE(is_event_name("paused"));
  EXPECT_FALSE(is_event_name("Paused"));
  EXPECT_FALSE(is_event_name(""));
}

}  // namespace
}  // namespace rollwatch
