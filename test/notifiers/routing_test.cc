#include "notifiers/routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RolloutSpec payments_checkout() {
  RolloutSpec spec;
  spec.ns = "payments";
  spec.service = "checkout";
  spec.target = "eu-1";
  spec.labels = {{"tier", "web"}};
  return spec;
}

Event event_to_route(EventType type) {
  Event event;
  event.type = type;
  return event;
}

NotifierRoute route(std::string name, std::map<std::string, std::string> match = {},
                    std::vector<std::string> events = {}) {
  return {std::move(name), std::move(match), std::move(events),
          [](const Event& e) { return e.type == EventType::kPaused; }};
}

TEST(Routing, MatchIsExactAndWhole) {
  struct Row {
    const char* name;
    std::map<std::string, std::string> match;
    bool fits;
  };
  const Row rows[] = {
      {"nothing asked", {}, false},
      {"namespace", {{"namespace", "payments"}}, true},
      {"another namespace", {{"namespace", "payment"}}, false},
      {"service", {{"service", "checkout"}}, true},
      {"target", {{"target", "eu-1"}}, true},
      {"label", {{"label.tier", "web"}}, true},
      {"another value", {{"label.tier", "WEB"}}, false},
      {"a label it does not have", {{"label.team", ""}}, false},
      {"all of several", {{"namespace", "payments"}, {"label.tier", "web"}}, true},
      {"not all of several", {{"namespace", "payments"}, {"label.tier", "db"}}, false},
      {"a key there is not", {{"candidate", "1"}}, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(fits(route("n", row.match), payments_checkout()), row.fits);
  }
}

TEST(Routing, NamedAndMatchingElseAll) {
  const std::vector<NotifierRoute> routes = {route("all"),
                                             route("pay", {{"namespace", "payments"}}),
                                             route("search", {{"namespace", "search"}})};
  const Event paused = event_to_route(EventType::kPaused);
  RolloutSpec spec = payments_checkout();
  EXPECT_THAT(notifiers_for(spec, paused, routes), ElementsAre("pay"));
  spec.notify = {"search"};
  EXPECT_THAT(notifiers_for(spec, paused, routes), ElementsAre("pay", "search"));
  spec.notify = {"pay"};
  EXPECT_THAT(notifiers_for(spec, paused, routes), ElementsAre("pay"))
      << "once, though named and matching";
  spec.ns = "other";
  spec.notify = {};
  EXPECT_THAT(notifiers_for(spec, paused, routes), ElementsAre("all", "pay", "search"));
  spec.notify = {"gone"};
  EXPECT_THAT(notifiers_for(spec, paused, routes), ElementsAre("all", "pay", "search"));
  EXPECT_THAT(notifiers_for(spec, paused, {}), IsEmpty());
}

// Else whoever names a fallback would be told everything twice.
TEST(Routing, ASpareOneIsToldOnlyWhatItIsNamedFor) {
  std::vector<NotifierRoute> routes = {route("releases"), route("spare")};
  routes[1].is_spare = true;
  const auto names = [&](const RolloutSpec& spec) {
    std::vector<std::string> told;
    for (const NotifierRoute* one : routes_for(spec, routes)) told.push_back(one->name);
    return told;
  };
  RolloutSpec spec = payments_checkout();
  EXPECT_THAT(names(spec), ElementsAre("releases"));
  spec.notify = {"spare"};
  EXPECT_THAT(names(spec), ElementsAre("spare"));
}

TEST(Routing, EventsFilterAfterTheChoice) {
  const std::vector<NotifierRoute> routes = {
      route("all"), route("pay", {{"namespace", "payments"}}, {"promoted"})};
  EXPECT_THAT(notifiers_for(payments_checkout(), event_to_route(EventType::kPromoted), routes),
              ElementsAre("pay"));
  EXPECT_THAT(notifiers_for(payments_checkout(), event_to_route(EventType::kPaused), routes),
              IsEmpty())
      << "and it goes to nobody else";
  EXPECT_THAT(notifiers_for(RolloutSpec{}, event_to_route(EventType::kPaused), routes),
              ElementsAre("all"));
}

TEST(Routing, RollingBackIsADecisionThatIsActedOn) {
  Event decided = event_to_route(EventType::kDecided);
  decided.kind = DecisionKind::kRollback;
  decided.state = State::kRollingBack;
  const std::vector<NotifierRoute> routes = {route("n", {}, {"rolling_back"})};
  EXPECT_THAT(notifiers_for(payments_checkout(), decided, routes), ElementsAre("n"));
  decided.state = State::kAnalyzing;  // it would have been, but the condition only observes
  EXPECT_THAT(notifiers_for(payments_checkout(), decided, routes), IsEmpty());
  decided.state = State::kRollingBack;
  decided.kind = DecisionKind::kAdvance;
  EXPECT_THAT(notifiers_for(payments_checkout(), decided, routes), IsEmpty());
}

}  // namespace
}  // namespace rollwatch
