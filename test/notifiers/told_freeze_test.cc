// A freeze is told once: rollouts a, b (of service a as well), c … and every message of what holds
// them.
#include "notifiers/told_freeze.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "notifiers/slack.h"
#include "notifiers/told_once.h"

namespace rollwatch {
namespace {

using testing::ElementsAreArray;

class FrozenPeople {
 public:
  explicit FrozenPeople(std::vector<NotifierRoute> routes) : routes_(std::move(routes)) {}

  // One word after the other:
  //   shop/a:new             a rollout of the service "shop", also under a freeze that is in force
  //   ana-freezes-shop       and every rollout that this holds is told; of everything: "all"
  //   ana-freezes-shop-5m    for five minutes
  //   ana-renews-shop        the same freeze for another reason
  //   ben-lifts-shop         and every rollout is told
  //   quietly                the next of these two is recorded, but no rollout is told
  //   a:follow               it is told what holds it now
  //   a:fails a:cancel       in the same step as it is told that, or without
  //   a:blink                held and let go in one step
  //   +5m, restart
  void play(const std::string& story) {
    std::istringstream words(story);
    bool quietly = false;
    for (std::string word; words >> word;) {
      const std::size_t colon = word.find(':');
      if (word == "quietly") {
        quietly = true;
      } else if (word == "restart") {
        restart();
      } else if (word.front() == '+') {
        now_ += *parse_duration(word.substr(1));
      } else if (colon != std::string::npos) {
        act(word.substr(0, colon), word.substr(colon + 1));
      } else {
        person(word);
        if (!quietly)
          for (const auto& [name, rollout] : std::map(rollouts_)) act(name, "follow");
        quietly = false;
      }
    }
  }

  std::vector<std::string> messages;
  std::string kept() const { return so_far_.to_text(); }

 private:
  struct Rollout {
    RolloutSpec spec;
    RolloutState state;
  };

  void person(const std::string& word) {
    std::istringstream parts(word);
    std::string who, what, service, limit;
    std::getline(parts, who, '-');
    std::getline(parts, what, '-');
    std::getline(parts, service, '-');
    std::getline(parts, limit, '-');
    if (service == "all") service.clear();
    const std::string ns = service.empty() ? "" : "default";
    const auto before = freezes_.in_force(ns, service, now_);
    FreezeRecord freeze = before ? *before : FreezeRecord{};
    if (what == "lifts") {
      ASSERT_TRUE(before) << word;
      freeze.lifted_at = now_;
      freeze.lifted_by = who;
      freeze.lift_reason = who == "ben" ? "counted" : "";
    } else {
      freeze = {ns, service, who, what == "renews" ? "holidays" : "stocktaking", now_};
      if (before) freeze.since = before->since;
      if (!limit.empty()) freeze.until = now_ + *parse_duration(limit);
    }
    freezes_.set(freeze);
  }

  void act(std::string name, const std::string& what) {
    std::string service = "shop";
    if (const std::size_t slash = name.find('/'); slash != std::string::npos) {
      service = name.substr(0, slash);
      name = name.substr(slash + 1);
    }
    RolloutState before;
    if (what == "new") {
      Rollout& rollout = rollouts_[name];
      rollout.spec.id = "ro_" + name;
      rollout.spec.service = service;
      rollout.spec.candidate = name;
      rollout.state.state = State::kAnalyzing;
    } else {
      before = rollouts_.at(name).state;
    }
    Rollout& rollout = rollouts_.at(name);
    RolloutState& s = rollout.state;
    std::vector<Event> events;
    const auto happens = [&](EventType type) { events.emplace_back().type = type; };
    const auto text = freezes_.on(rollout.spec.ns, rollout.spec.service, now_).text;
    if (what == "blink") {
      happens(EventType::kFrozen);
      happens(EventType::kThawed);
    } else if (what != "cancel" &&
               text != (s.freeze ? std::optional(s.freeze->text) : std::nullopt)) {
      happens(text ? EventType::kFrozen : EventType::kThawed);
      s.freeze.reset();
      if (text) s.freeze = FreezeState{now_, *text};
    }
    if (what == "fails") s.state = State::kRollingBack;
    if (what == "cancel") s.state = State::kCancelled;
    s.updated_at = now_;
    for (const Announcement& a :
         tell(so_far_, {rollout.spec, plan_, before, s, events, {}}, routes_, freezes_))
      messages.push_back(a.notifier + ": " + a.notice.summary);
    if (is_final(s.state)) rollouts_.erase(name);
  }

  void restart() {
    const std::string text = so_far_.to_text();
    so_far_ = {};
    for (const auto& [name, rollout] : rollouts_)
      recognize(so_far_, {rollout.spec, plan_}, rollout.state);
    so_far_.read_text(text);
    EXPECT_EQ(so_far_.to_text(), text);
  }

  std::vector<NotifierRoute> routes_;
  ToldSoFar so_far_;
  Freezes freezes_;
  SysTime now_{Millis{1'767'323'045'678}};
  Plan plan_;
  std::map<std::string, Rollout> rollouts_;
};

NotifierRoute channel(std::string name, std::map<std::string, std::string> match = {},
                      std::vector<std::string> events = {}) {
  return {std::move(name), std::move(match), std::move(events), slack_webhook_tells};
}

struct FreezeRow {
  const char* name;
  const char* story;
  std::vector<std::string> told;
};

void expect_frozen(const std::vector<FreezeRow>& rows, const std::vector<NotifierRoute>& routes) {
  for (const FreezeRow& row : rows) {
    SCOPED_TRACE(std::string(row.name) + ": " + row.story);
    FrozenPeople people(routes);
    people.play(row.story);
    EXPECT_THAT(people.messages, ElementsAreArray(row.told));
  }
}

std::string stands(const std::string& rollout) {
  return "; " + rollout + " stands still until that is lifted";
}
const std::string kShop = "people: shop is frozen by ana: stocktaking";
const std::string kNoShop = "people: shop is no longer frozen by ana: stocktaking; lifted by ";
const std::string kAll = "people: everything is frozen by bob: stocktaking";
const std::string kNoAll = "people: everything is no longer frozen by bob: stocktaking; lifted by ";

TEST(ToldFreeze, OnceWhenItBeginsAndOnceWhenItEnds) {
  expect_frozen(
      {
          {"of a service",
           "shop/a:new shop/b:new cart/c:new ana-freezes-shop +5m ana-lifts-shop",
           {kShop + stands("shop a"), kNoShop + "ana; 2 rollouts may go on"}},
          {"two services can be told apart",
           "shop/a:new cart/c:new ana-freezes-shop ana-freezes-cart ana-lifts-cart",
           {kShop + stands("shop a"),
            "people: cart is frozen by ana: stocktaking" + stands("cart c"),
            "people: cart is no longer frozen by ana: stocktaking; lifted by ana; cart c may go "
            "on"}},
          {"who lifts it says why",
           "shop/a:new ana-freezes-shop ben-lifts-shop",
           {kShop + stands("shop a"), kNoShop + "ben: counted; shop a may go on"}},
          {"of everything",
           "shop/a:new cart/c:new bob-freezes-all +5m ben-lifts-all",
           {kAll + stands("shop a"), kNoAll + "ben: counted; 2 rollouts may go on"}},
          {"it ends by itself",
           "shop/a:new ana-freezes-shop-5m +5m a:follow",
           {kShop + stands("shop a"),
            "people: shop is no longer frozen by ana: stocktaking; its "
            "time was up; shop a may go on"}},
          {"again is another one",
           "shop/a:new ana-freezes-shop ana-lifts-shop +1m ana-freezes-shop",
           {kShop + stands("shop a"), kNoShop + "ana; shop a may go on", kShop + stands("shop a")}},
          {"renewed for another reason, it is the same one: that is told, and its end once",
           "shop/a:new shop/b:new ana-freezes-shop ana-renews-shop ana-freezes-shop ana-lifts-shop",
           {kShop + stands("shop a"), "people: shop is frozen by ana: holidays" + stands("shop a"),
            kShop + stands("shop a"), kNoShop + "ana; 2 rollouts may go on"}},
          {"before anybody could notice", "shop/a:new a:blink", {}},
      },
      {channel("people")});
}

TEST(ToldFreeze, TwoThatHoldOneRolloutStayTwo) {
  expect_frozen(
      {
          {"the one of the service in between",
           "shop/a:new bob-freezes-all ana-freezes-shop ben-lifts-shop bob-lifts-all",
           {kAll + stands("shop a"), kShop + stands("shop a"),
            kNoShop + "ben: counted; shop a still stands still: everything is frozen by bob: "
                      "stocktaking",
            kNoAll + "bob; shop a may go on"}},
          {"while others are held by the one of everything only",
           "cart/b:new shop/c:new bob-freezes-all ana-freezes-shop bob-lifts-all ana-lifts-shop",
           {kAll + stands("cart b"), kShop + stands("shop c"), kNoAll + "bob; cart b may go on",
            kNoShop + "ana; shop c may go on"}},
          {"also if the first to hear of it does not go on",
           "shop/a:new cart/b:new bob-freezes-all ana-freezes-shop bob-lifts-all",
           {kAll + stands("shop a"), kShop + stands("shop a"), kNoAll + "bob; cart b may go on"}},
          {"the one of everything, and nobody goes on",
           "shop/a:new ana-freezes-shop bob-freezes-all bob-lifts-all",
           {kShop + stands("shop a"), kAll + stands("shop a"),
            kNoAll + "bob; shop a still stands still: frozen by ana: stocktaking"}},
          {"both end while nobody looks",
           "shop/a:new ana-freezes-shop bob-freezes-all quietly ana-lifts-shop quietly "
           "ben-lifts-all restart a:follow",
           {kShop + stands("shop a"), kAll + stands("shop a"), kNoShop + "ana; shop a may go on",
            kNoAll + "ben: counted; shop a may go on"}},
      },
      {channel("people")});
}

TEST(ToldFreeze, RolloutsComeAndGoUnderIt) {
  expect_frozen(
      {
          {"registered under it",
           "shop/a:new ana-freezes-shop +5m shop/b:new ana-lifts-shop",
           {kShop + stands("shop a"), kNoShop + "ana; 2 rollouts may go on"}},
          {"the first",
           "ana-freezes-shop shop/b:new ben-lifts-shop",
           {kShop + stands("shop b"), kNoShop + "ben: counted; shop b may go on"}},
          {"in place of one that has ended",
           "shop/a:new bob-freezes-all a:cancel +5m shop/b:new bob-lifts-all",
           {kAll + stands("shop a"), kNoAll + "bob; shop b may go on"}},
          {"when it has ended as well, that is another time",
           "shop/a:new ana-freezes-shop a:cancel +5m ana-lifts-shop +5m ana-freezes-shop "
           "shop/b:new",
           {kShop + stands("shop a"), kShop + stands("shop b")}},
          {"who goes back in the same step does not stand still",
           "shop/a:new quietly ana-freezes-shop a:fails ana-lifts-shop",
           {}},
          {"nor is it counted",
           "shop/a:new shop/b:new ana-freezes-shop a:fails ana-lifts-shop",
           {kShop + stands("shop a"), kNoShop + "ana; shop b may go on"}},
          {"nobody is left: there is nothing to say",
           "shop/a:new ana-freezes-shop a:cancel ana-lifts-shop",
           {kShop + stands("shop a")}},
      },
      {channel("people")});
}

TEST(ToldFreeze, ARestartChangesNothing) {
  expect_frozen(
      {
          {"in between",
           "shop/a:new ana-freezes-shop restart shop/b:new restart ana-lifts-shop",
           {kShop + stands("shop a"), kNoShop + "ana; 2 rollouts may go on"}},
          {"before some of its rollouts know of it",
           "shop/a:new shop/b:new quietly bob-freezes-all a:follow restart b:follow",
           {kAll + stands("shop a")}},
          {"or of its end",
           "shop/a:new shop/b:new bob-freezes-all quietly bob-lifts-all a:follow restart b:follow",
           {kAll + stands("shop a"), kNoAll + "bob; 2 rollouts may go on"}},
      },
      {channel("people")});
}

TEST(ToldFreeze, EachChannelIsToldOfItsOwn) {
  const std::string shop = "shop: everything is ";
  const std::string cart = "cart: everything is ";
  expect_frozen(
      {
          {"that has a rollout",
           "shop/a:new cart/c:new bob-freezes-all bob-lifts-all",
           {shop + "frozen by bob: stocktaking" + stands("shop a"),
            cart + "frozen by bob: stocktaking" + stands("cart c"),
            shop + "no longer frozen by bob: stocktaking; lifted by bob; shop a may go on",
            cart + "no longer frozen by bob: stocktaking; lifted by bob; cart c may go on"}},
          {"and still has it at the end",
           "shop/a:new cart/c:new bob-freezes-all c:cancel bob-lifts-all bob-freezes-all",
           {shop + "frozen by bob: stocktaking" + stands("shop a"),
            cart + "frozen by bob: stocktaking" + stands("cart c"),
            shop + "no longer frozen by bob: stocktaking; lifted by bob; shop a may go on",
            shop + "frozen by bob: stocktaking" + stands("shop a")}},
      },
      {channel("shop", {{"service", "shop"}}), channel("cart", {{"service", "cart"}})});
  const char* story = "shop/a:new ana-freezes-shop ana-lifts-shop";
  expect_frozen({{"only beginnings", story, {kShop + stands("shop a")}}},
                {channel("people", {}, {"frozen"})});
  expect_frozen({{"only ends", story, {kNoShop + "ana; shop a may go on"}}},
                {channel("people", {}, {"thawed"})});
}

// A job that renews its freeze every day, with the date in the reason, must not fill the memory.
TEST(ToldFreeze, NothingIsKeptOfWhatHasEnded) {
  FrozenPeople people({channel("people")});
  people.play("shop/a:new cart/c:new ana-freezes-shop ana-renews-shop bob-freezes-all");
  const std::string kept = people.kept();
  for (int day = 0; day < 10; ++day) people.play("ana-freezes-shop ana-renews-shop");
  EXPECT_EQ(people.kept().size(), kept.size());
  people.play("a:cancel ana-lifts-shop bob-lifts-all");
  EXPECT_EQ(people.kept(), "[]");
}

}  // namespace
}  // namespace rollwatch
