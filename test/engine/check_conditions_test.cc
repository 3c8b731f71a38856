// What conditions come to now: asked as a rollout's slot would be, told as they are, and nothing
// that follows from it.
#include "daemon/engine/check_conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <limits>
#include <map>
#include <stdexcept>

#include "config/merge.h"
#include "test/support/manual_clock.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Answer good(double value) { return {Vector{{Series{{}, value}}}, {}, false, nullptr, Millis{3}}; }
Answer failed(FailureKind kind, std::string why = "", int status = 0) {
  return {QueryFailure{kind, std::move(why), status}, {}, false, nullptr, Millis{3}};
}
Answer several(std::vector<std::pair<std::string, double>> pods) {
  SeriesList series;
  for (auto& [pod, value] : pods) series.push_back({{{"pod", pod}}, value});
  return {Vector{series}, {}, false, nullptr, Millis{3}};
}
Answer partial(double value) {
  Answer answer = good(value);
  answer.partial = true;
  answer.warnings = {"a store is away"};
  return answer;
}

// Keeps what it was asked; answers when and as a test says.
class HeldSource : public MetricsSource {
 public:
  void ask(std::vector<Question> questions, Answered answered) override {
    ++batches;
    asked = std::move(questions);
    answered_ = std::move(answered);
  }
  awaitable<QueryCheck> check(std::string, std::string) override {
    ADD_FAILURE() << "nothing is registered";
    co_return QueryCheck{};
  }
  std::vector<std::string> header_names(const std::string& datasource) const override {
    if (datasource != "default") return {};
    return {"X-Scope-OrgID"};
  }
  Millis ingestion_delay(const std::string& datasource) const override {
    return Millis{datasource == "default" ? 15'000 : 0};
  }

  void answer(std::size_t question, Answer with) { answered_(question, std::move(with)); }
  // The last first, by the query; one that no answer is given for finds nothing.
  void answer_all(const std::map<std::string, Answer>& answers) {
    for (std::size_t i = asked.size(); i-- > 0;) {
      const auto found = answers.find(asked[i].query.str());
      answer(i, found == answers.end() ? Answer{} : found->second);
    }
  }
  std::vector<std::string> queries() const {
    std::vector<std::string> texts;
    for (const Question& question : asked) texts.push_back(question.query.str());
    return texts;
  }

  int batches = 0;
  std::vector<Question> asked;

 private:
  Answered answered_;
};

class CheckConditionsTest : public testing::Test {
 protected:
  CheckConditionsTest() {
    spec.id = "ro_check";
    spec.service = "shop";
    spec.stable = "1.0";
    spec.candidate = "1.1";
  }

  // An analysis as a request gives it, merged as a policy would be.
  static std::shared_ptr<const Plan> plan_of(const std::string& analysis) {
    Settings settings;
    settings.datasources["default"].url = "http://127.0.0.1:9090";
    settings.datasources["other"].url = "http://127.0.0.1:9091";
    const auto request = value_from_json(analysis, "request", "/analysis");
    if (!request) throw std::invalid_argument(request.error().message);
    auto merged = merge_analysis(settings, "default", "shop", {}, &*request, Steps::kOptional);
    if (!merged) throw std::invalid_argument(merged.error().front().text());
    return std::make_shared<const Plan>(std::move(merged->plan));
  }

  // Asks, as far as it goes without answers.
  void begin(std::shared_ptr<const Plan> plan, std::vector<std::string> left_out = {}) {
    CheckSurroundings around{source, clock,
                             [](const std::string& datasource) { return "http://" + datasource; }};
    net::co_spawn(
        io, check_conditions(spec, std::move(plan), std::move(left_out), std::move(around)),
        net::bind_cancellation_slot(
            caller.slot(), [this](std::exception_ptr error, std::vector<CheckedCondition> all) {
              ended = true;
              failure = error;
              checked = std::move(all);
            }));
    poll();
  }
  void poll() {
    io.restart();
    io.poll();
  }
  // The whole of it, for one condition or more.
  const std::vector<CheckedCondition>& check(const std::string& analysis,
                                             const std::map<std::string, Answer>& answers) {
    begin(plan_of(analysis));
    if (!source.asked.empty()) source.answer_all(answers);
    poll();
    EXPECT_TRUE(ended && !failure);
    return checked;
  }
  static std::string in_a_line(const CheckedCondition& one) {
    return std::string(name_of(one.judged.outcome)) + " " + std::string(name_of(one.judged.cause)) +
           ": " + one.detail;
  }

  net::io_context io;
  ManualClock clock{io};
  HeldSource source;
  RolloutSpec spec;
  net::cancellation_signal caller;
  bool ended = false;
  std::exception_ptr failure;
  std::vector<CheckedCondition> checked;
};

struct Row {
  const char* name;
  const char* condition;  // its keys after "name" and "query"
  std::map<std::string, Answer> answers;
  const char* expected;
};

class CheckConditionsRows : public CheckConditionsTest, public testing::WithParamInterface<Row> {};

TEST_P(CheckConditionsRows, ComesTo) {
  const Row& row = GetParam();
  const auto& all = check(
      std::string(
          R"json({"condition": [{"name": "c", "query": "errors{v=\"{{candidate}}\"}", )json") +
          row.condition + "}]}",
      row.answers);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].name, "c");
  EXPECT_EQ(in_a_line(all[0]), row.expected);
}

constexpr const char* kQuery = R"json(errors{v="1.1"})json";
constexpr const char* kAbove = R"json("fail_if": "> 0.05")json";
constexpr const char* kCounted = R"json("fail_if": "> 0.05", "evidence": "events")json";

INSTANTIATE_TEST_SUITE_P(
    , CheckConditionsRows,
    testing::ValuesIn(std::vector<Row>{
        {"a_pass", kAbove, {{kQuery, good(0.01)}}, "pass within_limit: 0.01 (rule > 0.05)"},
        {"a_fail", kAbove, {{kQuery, good(0.2)}}, "fail beyond_limit: 0.2 > 0.05"},
        {"between_the_limits",
         R"json("fail_if": "> 0.05", "pass_if": "< 0.01")json",
         {{kQuery, good(0.03)}},
         "inconclusive between_limits: 0.03 neither fails (> 0.05) nor passes (< 0.01)"},
        {"the_worst_series_is_named",
         kAbove,
         {{kQuery, several({{"a", 0.01}, {"b", 0.3}, {"c", 0.2}})}},
         "fail beyond_limit: 0.3 > 0.05 at {pod=\"b\"}"},
        {"several_where_one_is_wanted",
         R"json("fail_if": "> 0.05", "reduce": "one")json",
         {{kQuery, several({{"a", 0.01}, {"b", 0.3}})}},
         "error many_series: several series where one is expected: 2 series, such as {pod=\"a\"}"},
        {"no_data", kAbove, {}, "no_data no_series: no data: the query found no series"},
        {"no_number",
         kAbove,
         {{kQuery, good(std::numeric_limits<double>::quiet_NaN())}},
         "no_data not_a_number: no data: the answer is NaN"},
        {"a_part_of_an_answer",
         kAbove,
         {{kQuery, partial(0.01)}},
         "no_data partial: no data: the answer is partial: a store is away"},
        {"unreachable",
         kAbove,
         {{kQuery, failed(FailureKind::kUnreachable, "connection refused")}},
         "error unreachable: the datasource cannot be reached: connection refused"},
        {"a_timeout",
         kAbove,
         {{kQuery, failed(FailureKind::kTimeout, "nothing within 10s")}},
         "error timeout: no answer within the timeout: nothing within 10s"},
        {"a_status",
         kAbove,
         {{kQuery, failed(FailureKind::kHttpStatus, "HTTP 503", 503)}},
         "error http_status: the datasource answered with an error: HTTP 503"},
        {"a_query_it_refuses",
         kAbove,
         {{kQuery, failed(FailureKind::kBadQuery, "parse error", 400)}},
         "error bad_query: the datasource refuses the query: parse error"},
        {"an_unknown_datasource",
         kAbove,
         {{kQuery, failed(FailureKind::kNotAsked, "there is no datasource \"default\"")}},
         "error not_asked: could not be asked: there is no datasource \"default\""},
        {"no_connection_free",
         kAbove,
         {{kQuery, failed(FailureKind::kOverload)}},
         "missed overload: missed: more was due than can be asked"},
        {"of_no_use",
         kAbove,
         {{kQuery, Answer{Unusable{"string"}, {}, false, nullptr, Millis{3}}}},
         "error unusable_kind: an answer no condition can use: string"},
        {"enough_events",
         kCounted,
         {{kQuery, good(0.01)}, {"events", good(100)}},
         "pass within_limit: 0.01 (rule > 0.05)"},
        {"few_events",
         kCounted,
         {{kQuery, good(0.01)}, {"events", good(12)}},
         "inconclusive few_events: 12 of 100 events, 0.01 (rule > 0.05)"},
        {"few_events_can_fail",
         kCounted,
         {{kQuery, good(0.2)}, {"events", good(12)}},
         "fail beyond_limit: 0.2 > 0.05"},
        {"no_events",
         kCounted,
         {{kQuery, good(0.01)}},
         "no_data no_events: no data: 0 of 100 events in the window"},
        {"evidence_that_cannot_be_had",
         kCounted,
         {{kQuery, good(0.01)}, {"events", failed(FailureKind::kTimeout, "nothing within 10s")}},
         "error timeout: no answer within the timeout: evidence: nothing within 10s"},
    }),
    [](const auto& info) { return info.param.name; });

TEST_F(CheckConditionsTest, AsksAsASlotWouldBeAskedNow) {
  begin(plan_of(R"json({"condition": [
      {"name": "plain", "query": "plain > 1", "evidence": "rate(x[{{window}}])", "window": "90s"},
      {"name": "short", "query": "short > 1", "timeout": "5s", "datasource": "other"},
      {"name": "long", "query": "long > 1", "timeout": "2m"}]
})json"));
  EXPECT_EQ(source.batches, 1) << "all of them together";
  EXPECT_THAT(source.queries(), ElementsAre("plain", "rate(x[1m30s])", "short", "long"));
  ASSERT_EQ(source.asked.size(), 4U);
  const SysTime now = clock.wall();
  EXPECT_EQ(source.asked[0].time, now - Millis{15'000}) << "the datasource's ingestion delay";
  EXPECT_EQ(source.asked[1].time, now - Millis{15'000});
  EXPECT_EQ(source.asked[2].time, now) << "of another one";
  EXPECT_EQ(source.asked[0].role, Role::kValue);
  EXPECT_EQ(source.asked[1].role, Role::kEvidence);
  EXPECT_EQ(source.asked[0].timeout, Millis{0}) << "the datasource's own";
  EXPECT_EQ(source.asked[2].timeout, Millis{5'000});
  EXPECT_EQ(source.asked[3].timeout, Millis{60'000}) << "nobody waits for longer";
  for (const Question& question : source.asked) {
    EXPECT_FALSE(question.goes_first) << "behind those of rollouts";
    EXPECT_EQ(question.last_answered, now);
    EXPECT_EQ(question.interval, Millis{0});
  }
}

TEST_F(CheckConditionsTest, EachIsToldWithItsOwnAnswersWhoeverComesFirst) {
  begin(plan_of(R"json({"condition": [
      {"name": "first", "query": "a > 1", "evidence": "n", "min_evidence": 5},
      {"name": "second", "query": "b > 1"}, {"name": "third", "query": "c > 1"}]})json"));
  Answer slow = good(7);
  slow.duration = Millis{120};
  slow.raw = std::make_shared<const std::string>("what came");
  source.answer(3, good(3));
  source.answer(1, slow);
  source.answer(0, good(0.5));
  poll();
  EXPECT_FALSE(ended) << "one is still out";
  source.answer(2, failed(FailureKind::kTimeout));
  poll();
  ASSERT_TRUE(ended && !failure);
  ASSERT_EQ(checked.size(), 3U);
  const CheckedCondition& first = checked[0];
  EXPECT_EQ(in_a_line(first), "pass within_limit: 0.5 (rule > 1)");
  EXPECT_EQ(first.name, "first");
  EXPECT_EQ(first.rule, "> 1");
  EXPECT_EQ(first.judged.value, 0.5);
  EXPECT_EQ(first.judged.evidence, 7);
  EXPECT_EQ(first.duration, Millis{120}) << "the longer of the two";
  EXPECT_EQ(first.asked.query.str(), "a");
  ASSERT_TRUE(first.asked.evidence_query && first.asked.evidence);
  EXPECT_EQ(first.asked.evidence_query->str(), "n");
  EXPECT_EQ(*first.asked.evidence->raw, "what came");
  EXPECT_EQ(first.asked.datasource, "default");
  EXPECT_EQ(first.asked.datasource_url, "http://default");
  EXPECT_THAT(first.asked.headers, ElementsAre("X-Scope-OrgID"));
  EXPECT_EQ(first.asked.evaluated_at, clock.wall() - Millis{15'000});
  EXPECT_EQ(checked[1].name, "second");
  EXPECT_EQ(checked[1].judged.cause, Cause::kTimeout);
  EXPECT_FALSE(checked[1].asked.evidence);
  EXPECT_EQ(checked[2].name, "third");
  EXPECT_EQ(checked[2].judged.outcome, Outcome::kFail);
}

TEST_F(CheckConditionsTest, ReadinessIsOneOfThemAndWhatIsLeftOutIsNot) {
  begin(plan_of(R"json({"steps": [{"weight": 5}],
                    "ready": {"query": "sum(up)", "at_least": 3},
                    "condition": [{"name": "kept", "query": "kept{w=\"{{weight}}\"} > 1"},
                                  {"name": "left", "query": "left > 1"}]
})json"),
        {"left"});
  EXPECT_THAT(source.queries(), testing::UnorderedElementsAre("kept{w=\"5\"}", "sum(up)"))
      << "as in the first step";
  for (const Question& question : source.asked)
    EXPECT_EQ(question.role, question.query.str() == "sum(up)" ? Role::kReadiness : Role::kValue);
  source.answer_all({{"kept{w=\"5\"}", good(0)}, {"sum(up)", good(2)}});
  poll();
  ASSERT_EQ(checked.size(), 2U);
  for (const CheckedCondition& one : checked)
    EXPECT_EQ(one.judged.outcome, one.name == "kept" ? Outcome::kPass : Outcome::kFail) << one.name;
}

TEST_F(CheckConditionsTest, OnlyItsOwnSeriesOfASharedAnswerCount) {
  const auto& all = check(R"json({"condition": [{"name": "c", "query": "sum by (pod) (x) > 1",
                                             "select": {"pod": "{{service}}"}}]})json",
                          {{"sum by (pod) (x)", several({{"other", 9}, {"shop", 0.5}})}});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].judged.outcome, Outcome::kPass);
  EXPECT_EQ(all[0].judged.value, 0.5);
}

// A value that there is none of is an answer at once: there is nobody to wait for.
TEST_F(CheckConditionsTest, WhatCannotBeRenderedIsNotAskedAndSaysWhy) {
  const auto& all = check(R"json({"condition": [
      {"name": "c", "query": "x{w=\"{{weight}}\"} > 1"}]})json",
                          {});
  EXPECT_EQ(source.batches, 0);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].judged.cause, Cause::kNotAsked);
  EXPECT_THAT(all[0].detail, HasSubstr("weight"));
  EXPECT_EQ(all[0].asked.query.str(), "x{w=\"{{weight}}\"}") << "as it is written";
}

TEST_F(CheckConditionsTest, WhatCanBeRenderedIsAskedAllTheSame) {
  begin(plan_of(R"json({"condition": [
      {"name": "none", "query": "x{w=\"{{weight}}\"} > 1"}, {"name": "good", "query": "y > 1"},
      {"name": "half", "query": "z > 1", "evidence": "n{t=\"{{labels.tier}}\"}"}]})json"));
  EXPECT_THAT(source.queries(), ElementsAre("y", "z"));
  source.answer_all({{"y", good(0)}, {"z", good(0)}});
  poll();
  ASSERT_EQ(checked.size(), 3U);
  EXPECT_EQ(checked[0].judged.cause, Cause::kNotAsked);
  EXPECT_EQ(checked[1].judged.outcome, Outcome::kPass);
  EXPECT_EQ(checked[2].judged.cause, Cause::kNotAsked) << "its evidence";
}

TEST_F(CheckConditionsTest, OfNoConditionsNothingIsAsked) {
  begin(plan_of(R"json({"condition": [{"name": "c", "query": "x > 1"}]})json"), {"c"});
  EXPECT_TRUE(ended && !failure);
  EXPECT_EQ(source.batches, 0);
  EXPECT_THAT(checked, IsEmpty());
}

// Answers come whether anybody waits for them or not.
TEST_F(CheckConditionsTest, ACallerThatGoesAwayLeavesItsAnswersToNobody) {
  begin(plan_of(R"json({"condition": [{"name": "a", "query": "a > 1", "evidence": "n"},
                                  {"name": "b", "query": "b > 1"}]})json"));
  source.answer(0, good(1));
  EXPECT_FALSE(ended);
  caller.emit(net::cancellation_type::terminal);
  poll();
  ASSERT_TRUE(ended);
  EXPECT_THROW(std::rethrow_exception(failure), boost::system::system_error);
  source.answer(2, good(1));
  source.answer(1, failed(FailureKind::kTimeout));
  poll();
  EXPECT_THAT(checked, IsEmpty());
}

}  // namespace
}  // namespace rollwatch
