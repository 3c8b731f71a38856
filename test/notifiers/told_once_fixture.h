// Rollouts a, b, c …, each a service of its own, and the people who are told of them:
//
//   People people;
//   people.play("a:pause b:pause +7m a:lift b:lift");
//   EXPECT_THAT(people.messages, ElementsAre("people: datasource default gives no answers: …", …));
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "notifiers/slack.h"
#include "notifiers/told_once.h"

namespace rollwatch {

inline Judgement judged(Outcome outcome, Cause cause) {
  Judgement j;
  j.outcome = outcome;
  j.cause = cause;
  if (cause == Cause::kUnreachable) j.detail = "connection refused";
  return j;
}

inline NotifierRoute notifier(std::string name, std::map<std::string, std::string> match = {},
                              std::vector<std::string> events = {}) {
  return {std::move(name), std::move(match), std::move(events), slack_webhook_tells};
}

class People {
 public:
  explicit People(std::vector<NotifierRoute> routes = {notifier("people")})
      : routes_(std::move(routes)) {
    for (const char* datasource : {"default", "other"}) {
      ConditionPlan condition{
          .name = std::string("of-") + datasource,
          .kind =
              ThresholdCondition{
                  promql::parse_query_template("up").value(), {}, Reduce::kEach, std::nullopt, 100},
          .timeout = std::nullopt,
          .datasource = datasource,
          .steps = {}};
      plan_.conditions.push_back(std::move(condition));
    }
    plan_.steps = {{5, Millis{0}, false}};
  }

  // One word after the other, each a step of a rollout (o asks only the datasource "other"), or
  // time that passes:
  //   pause silent answer missed lift remind own-remind: for want of answers;
  //   "lift" is the engine's, by a slot of that datasource or (lift-by-other) of another one
  //   soak unwatched watched promoted; person (sends it on) fail cancel silent-cancel
  //   note other-pause
  //   +30m; restart
  void play(const std::string& story) {
    std::istringstream words(story);
    for (std::string word; words >> word;) {
      if (word.front() == '+') {
        now_ += *parse_duration(word.substr(1));
      } else if (word == "restart") {
        restart();
      } else {
        const std::size_t colon = word.find(':');
        act(word.substr(0, colon), word.substr(colon + 1));
      }
    }
  }

  std::vector<std::string> messages;  // "people: datasource default …"

 private:
  void act(const std::string& name, const std::string& what) {
    plan_.conditions[0].datasource = name == "o" ? "other" : "default";
    before_ = states_.contains(name) ? states_[name] : fresh();
    after_ = before_;
    events_.clear();
    evaluations_.clear();
    after_.updated_at = now_;
    if (what == "pause") pause("default", 0);
    if (what == "other-pause") pause("other", 1);
    if (what == "silent") slot(0, judged(Outcome::kError, Cause::kUnreachable));
    if (what == "answer") slot(0, judged(Outcome::kNoData, Cause::kNoSeries));
    if (what == "missed") slot(0, judged(Outcome::kMissed, Cause::kMissedDowntime));
    if (what == "lift") lift(0);
    if (what == "lift-by-other") lift(1);
    if (what == "watched-other") slot(1, judged(Outcome::kPass, Cause::kWithinLimit));
    if (what == "remind") remind();
    if (what == "own-remind") {
      after_.question->datasource.clear();
      remind();
    }
    if (what == "soak") after_.state = State::kSoaking;
    if (what == "unwatched") {
      slot(0, judged(Outcome::kError, Cause::kUnreachable));
      Event& note = happens(EventType::kNote);
      note.datasource = "default";
      note.is_news = true;
    }
    if (what == "watched") slot(0, judged(Outcome::kPass, Cause::kWithinLimit));
    if (what == "promoted") end(State::kPromoted, EventType::kPromoted);
    if (what == "silent-cancel") slot(0, judged(Outcome::kError, Cause::kUnreachable));
    if (what.ends_with("cancel")) end(State::kCancelled, EventType::kCancelled);
    if (what == "person") {
      const std::string datasource = whose();
      goes_on();
      Event& resumed = happens(EventType::kResumed);
      resumed.by = "ana";
      resumed.datasource = datasource;
    }
    if (what == "fail") {
      slot(0, judged(Outcome::kFail, Cause::kBeyondLimit));
      after_.question.reset();
      after_.state = State::kRollingBack;
      happens(EventType::kDecided).kind = DecisionKind::kRollback;
    }
    if (what == "note") happens(EventType::kNote).question = "q1";
    states_[name] = after_;

    RolloutSpec spec;
    spec.id = "ro_" + name;
    spec.service = name;
    spec.candidate = "1.24";
    spec.target = "eu-1";
    specs_[name] = spec;
    for (const Announcement& a :
         tell(so_far_, {spec, plan_, before_, after_, events_, evaluations_}, routes_, {}))
      messages.push_back(a.notifier + ": " +
                         (a.notice.subject.empty()
                              ? name + " " + std::string(name_of(a.notice.event))
                              : a.notice.summary));
  }

  RolloutState fresh() const {
    RolloutState state;
    state.state = State::kAnalyzing;
    state.begun = true;
    state.conditions.resize(2);
    for (ConditionState& c : state.conditions) c.watched_from = now_ - Millis{3'600'000};
    return state;
  }
  Event& happens(EventType type) {
    Event event;
    event.type = type;
    event.at = now_;
    event.by = "engine";
    event.state = after_.state;
    events_.push_back(std::move(event));
    return events_.back();
  }
  void slot(std::size_t condition, Judgement judgement) {
    Evaluation evaluation;
    evaluation.condition = condition;
    evaluation.judgement = judgement;
    evaluations_.push_back(evaluation);
    ConditionState& c = after_.conditions[condition];
    const bool silent = judgement.cause == Cause::kUnreachable;
    if (silent && !c.silent_since) c.silent_since = now_ - Millis{300'000};
    if (!silent) c.silent_since.reset();
    c.last_evaluated_at = now_;
    c.last = std::move(judgement);
  }
  void pause(const std::string& datasource, std::size_t condition) {
    slot(condition, judged(Outcome::kError, Cause::kUnreachable));
    after_.state = State::kPaused;
    OpenQuestion question;
    question.kind = QuestionKind::kNoAnswers;
    question.datasource = datasource;
    after_.question = question;
    happens(EventType::kPaused).datasource = datasource;
  }
  void goes_on() {
    after_.question.reset();
    after_.state = State::kAnalyzing;
  }
  void lift(std::size_t condition) {
    slot(condition, judged(Outcome::kPass, Cause::kWithinLimit));
    const std::string datasource = whose();
    goes_on();
    happens(EventType::kResumed).datasource = datasource;
  }
  void remind() { happens(EventType::kReminder).datasource = whose(); }
  // Whose silence asked; of one that is told to go on though it waits for nobody, its condition's.
  std::string whose() const {
    return after_.question ? after_.question->datasource : plan_.conditions[0].datasource;
  }
  void end(State state, EventType type) {
    after_.question.reset();
    after_.state = state;
    happens(type);
  }
  // As the daemon does: what is told comes from the store, who is concerned from the rollouts; and
  // what a soak's slots showed before it is forgotten.
  void restart() {
    const std::string text = so_far_.to_text();
    so_far_ = {};
    for (const auto& [name, state] : states_)
      if (!is_final(state.state)) recognize(so_far_, {specs_[name], plan_}, state);
    so_far_.read_text(text);
    EXPECT_EQ(so_far_.to_text(), text);
    for (const auto& [name, state] : std::map(states_)) {
      states_[name].conditions[0].silent_since.reset();
      before_ = state;
      after_ = states_[name];
      after_.updated_at = now_;
      tell(so_far_, {specs_[name], plan_, before_, after_, {}, {}}, routes_, {});
    }
  }

  std::vector<NotifierRoute> routes_;
  ToldSoFar so_far_;
  SysTime now_{Millis{1'767'323'045'678}};
  Plan plan_;
  std::map<std::string, RolloutState> states_;
  std::map<std::string, RolloutSpec> specs_;
  RolloutState before_, after_;
  std::vector<Event> events_;
  std::vector<Evaluation> evaluations_;
};

}  // namespace rollwatch
