// How a rollout stands: the facts, and the message that shows them.
#include "notifiers/slack_root.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/comparison.h"

namespace rollwatch {
namespace {

using Ordered = nlohmann::ordered_json;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr SysTime kRegisteredAt{Millis{1'767'323'045'678}};

RolloutSpec checkout_1_24() {
  RolloutSpec spec;
  spec.id = "ro_01jg";
  spec.ns = "payments";
  spec.service = "checkout";
  spec.target = "eu-1";
  spec.candidate = "1.24";
  spec.by = "ci@pipeline/812";
  spec.policy = {"http"};
  spec.links = {{"change", "https://git.example.net/c/1"}};
  spec.created_at = kRegisteredAt;
  return spec;
}

Standing rolled_back() {
  Standing standing;
  standing.number = 9;
  standing.state = "rolled_back";
  standing.reason = "rolled back: error-rate 0.083 > 0.05, 3 of the last 3";
  standing.at = kRegisteredAt + Millis{370'123};
  standing.took = Millis{370'123};
  standing.step = 1;
  standing.steps = 3;
  standing.weight = 0;
  standing.decision = "de_01jg-4";
  standing.conditions = 2;
  standing.passing = 1;
  standing.condition = "error-rate";
  standing.verdict = "failed";
  standing.value = 0.083;
  standing.rule = "> 0.05";
  standing.passed = 8;
  standing.failed = 3;
  standing.other = 1;
  standing.graph = "http://prometheus/graph?g0.expr=x";
  return standing;
}

TEST(SlackRoot, InFull) {
  EXPECT_EQ(
      slack_root(checkout_1_24(), rolled_back(), "http://rollwatch.example.net").dump(),
      R"j({"text":"payments/checkout 1.24 → eu-1: rolled back: error-rate 0.083 &gt; 0.05, 3 of the last 3",)j"
      R"j("attachments":[{"color":"#e01e5a",)j"
      R"j("fallback":"payments/checkout 1.24 → eu-1: rolled back: error-rate 0.083 &gt; 0.05, 3 of the last 3","blocks":[)j"
      R"j({"type":"section","text":{"type":"mrkdwn","text":"*payments/checkout* `1.24` → *eu-1*\n)j"
      R"j(:x: *rolled back*: error-rate 0.083 &gt; 0.05, 3 of the last 3"}},)j"
      R"j({"type":"section","fields":[{"type":"mrkdwn","text":"*Condition*\nerror-rate: failed"},)j"
      R"j({"type":"mrkdwn","text":"*Value (limit)*\n0.083 (&gt; 0.05)"},)j"
      R"j({"type":"mrkdwn","text":"*Its checks*\n8 passed, 3 failed, 1 undecided"},)j"
      R"j({"type":"mrkdwn","text":"*All conditions*\n1 of 2 passing"},)j"
      R"j({"type":"mrkdwn","text":"*Share of 1.24*\n0 %"},)j"
      R"j({"type":"mrkdwn","text":"*Since registration*\n6m10s"}]},)j"
      R"j({"type":"section","text":{"type":"mrkdwn","text":"<http://rollwatch.example.net/rollouts/ro_01jg|Rollout> · )j"
      R"j(<http://prometheus/graph?g0.expr=x|Graph> · )j"
      R"j(<http://rollwatch.example.net/api/v1/rollouts/ro_01jg/explain?decision=de_01jg-4|Query>"}},)j"
      R"j({"type":"section","text":{"type":"mrkdwn","text":"<https://git.example.net/c/1|change>"}},)j"
      R"j({"type":"context","elements":[{"type":"mrkdwn","text":"`ro_01jg` · started by ci@pipeline/812 · )j"
      R"j(policy `http` · as of 2026-01-02T03:10:15.801Z"}]}]}]})j");
}

TEST(SlackRoot, EachStateInWords) {
  struct Row {
    const char* state;
    const char* reason;
    const char* text;
    const char* color;
  };
  const Row rows[] = {
      {"waiting", "ready 2 of 3", "waiting: ready 2 of 3", "#3b82f6"},
      {"analyzing", "watching at 25 %", "rolling out (25 %, step 2 of 3)", "#3b82f6"},
      {"analyzing", "advance to 50 % is ordered",
       "rolling out (25 %, step 2 of 3): advance to 50 % is ordered", "#3b82f6"},
      {"paused", "error-rate gave no answer for 5m", "paused: error-rate gave no answer for 5m",
       "#ecb22e"},
      {"promoting", "all conditions passed", "promoting: all conditions passed", "#3b82f6"},
      {"soaking", "watched for 15m", "soaking: watched for 15m", "#3b82f6"},
      {"promoted", "promoted, and watched for 15m after it",
       "promoted, and watched for 15m after it", "#2eb67d"},
      {"rolled_back", "Rolled back: error-rate 0.083", "rolled back: error-rate 0.083", "#e01e5a"},
      {"rolling_back", "error-rate 0.083", "rolling back: error-rate 0.083", "#e01e5a"},
      {"rollback_failed", "rollback failed: refused", "rollback failed: refused", "#e01e5a"},
      {"cancelled", "", "cancelled", "#6b7280"},
      {"superseded", "superseded by 1.25", "superseded by 1.25", "#6b7280"},
      {"of_a_later_version", "", "of_a_later_version", "#3b82f6"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    Standing standing = rolled_back();
    standing.state = row.state;
    standing.reason = row.reason;
    standing.weight = 25;
    const Ordered root = slack_root(checkout_1_24(), standing, "http://h");
    EXPECT_EQ(root["text"], "payments/checkout 1.24 → eu-1: " + std::string(row.text));
    EXPECT_EQ(root["attachments"][0]["fallback"], root["text"]);
    EXPECT_EQ(root["attachments"][0]["color"], row.color);
    const std::string headline = root["attachments"][0]["blocks"][0]["text"]["text"];
    EXPECT_THAT(headline, HasSubstr("\n:")) << "never colour alone, and never an emoji alone";
    EXPECT_THAT(headline, HasSubstr("* "));
  }
}

TEST(SlackRoot, SaysWhatAPersonCanDo) {
  Standing standing = rolled_back();
  EXPECT_THAT(slack_root(checkout_1_24(), standing, "").dump(), Not(HasSubstr("resume")));
  standing.state = "waiting";
  standing.question = "q1";
  const Ordered root = slack_root(checkout_1_24(), standing, "");
  EXPECT_THAT(root.dump(), HasSubstr("`rollwatch resume ro_01jg` to go on"));
  EXPECT_EQ(root["attachments"][0]["color"], "#ecb22e") << "it waits for somebody";
}

TEST(SlackRoot, OfARolloutThatMeasuresNothingYet) {
  RolloutSpec spec = checkout_1_24();
  spec.links.clear();
  Standing standing;
  standing.state = "waiting";
  const Ordered root = slack_root(spec, standing, "http://h");
  EXPECT_EQ(root["text"], "payments/checkout 1.24 → eu-1: waiting");
  EXPECT_EQ(root["attachments"][0]["blocks"][2]["text"]["text"],
            "<http://h/rollouts/ro_01jg|Rollout>");
}

std::size_t code_points(const Ordered& text) {
  std::size_t count = 0;
  for (const char c : text.get<std::string>())
    count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  return count;
}

// Slack refuses a whole message for one text that is too long, and pages everybody for
// "<!channel>".
TEST(SlackRoot, StaysWithinSlacksLimitsWhateverItIsGiven) {
  std::string endless;
  for (int i = 0; i < 30'000; ++i) endless += "&<!channel>\u00e4";
  RolloutSpec spec = checkout_1_24();
  spec.ns = spec.service = spec.target = spec.candidate = spec.by = endless;
  for (int i = 0; i < 100; ++i) {
    spec.links["link" + std::to_string(i)] = "https://h/" + std::string(350, 'x');
    spec.links["amp" + std::to_string(i)] = "https://h/" + std::string(350, '&');
    spec.policy.push_back(endless);
  }
  Standing standing = rolled_back();
  standing.reason = standing.condition = standing.rule = endless;
  standing.question = "q1";
  standing.graph = "http://prometheus/graph?g0.expr=" + std::string(1900, 'x');
  const Ordered root = slack_root(spec, standing, "http://rollwatch.example.net");
  EXPECT_LE(code_points(root["text"]), 4000U);
  std::size_t together = 0;
  for (const Ordered& block : root["attachments"][0]["blocks"]) {
    if (block.contains("text")) {
      EXPECT_LE(code_points(block["text"]["text"]), 3000U);
      together += code_points(block["text"]["text"]);
    }
    if (block.contains("fields")) {
      EXPECT_LE(block["fields"].size(), 10U);
      for (const Ordered& field : block["fields"]) {
        EXPECT_LE(code_points(field["text"]), 2000U);
        together += code_points(field["text"]);
      }
    }
    if (block.contains("elements")) together += code_points(block["elements"][0]["text"]);
  }
  EXPECT_LE(together, 13'000U);
  EXPECT_THAT(root.dump(), Not(HasSubstr("<!")));
  EXPECT_THAT(root.dump(), HasSubstr("/rollouts/ro_01jg|Rollout>")) << "links survive";
  EXPECT_THAT(root["text"].get<std::string>(), HasSubstr("\u2026"));
}

// ---- The facts

// A rollout in its second of three steps, with a condition that fails now and then, one that passes
// and one that only observes.
struct InTheMiddle {
  InTheMiddle() {
    plan.steps = {{5, Millis{0}, false}, {25, Millis{0}, false}, {50, Millis{0}, false}};
    for (const char* name : {"errors", "latency", "queue"}) {
      plan.conditions.push_back(
          {.name = name,
           .kind =
               ThresholdCondition{
                   promql::parse_query_template("rate(x{app=\"{{service}}\"}[1m])").value(),
                   {SeriesRule::kByValue, parse_comparison("> 0.05").value(), std::nullopt},
                   Reduce::kEach,
                   std::nullopt,
                   100},
           .timeout = std::nullopt,
           .steps = {}});
      after.conditions.emplace_back();
      after.conditions.back().watched_from = kRegisteredAt;
    }
    plan.conditions[2].on_fail = OnFail::kObserve;
    after.state = State::kAnalyzing;
    after.step = 1;
    after.reached_weight = 25;
    after.revision = 7;
    after.decisions_made = 2;
    after.reason = "watching at 25 %";
    after.updated_at = kRegisteredAt + minutes{4};
    before = after;
  }

  void slot(std::size_t i, double value) {
    const bool fails = value > 0.05;
    ConditionState& c = after.conditions[i];
    Judgement j;
    j.outcome = fails ? Outcome::kFail : Outcome::kPass;
    j.cause = fails ? Cause::kBeyondLimit : Cause::kWithinLimit;
    j.value = value;
    j.rule = parse_comparison("> 0.05").value();
    c.last = j;
    c.recent.push_back({1, j.outcome, fails, value});
    ++c.counts[static_cast<std::size_t>(j.outcome)];
    if (!fails) ++c.passes_in_step;
  }

  TakenStep taken() const { return {spec, plan, before, after, events, evaluations}; }

  RolloutSpec spec = checkout_1_24();
  Plan plan;
  RolloutState before, after;
  std::vector<Event> events;
  std::vector<Evaluation> evaluations;
};

TEST(Standing, ShowsTheConditionThatIsWorstOff) {
  InTheMiddle rollout;
  rollout.slot(0, 0.01);
  rollout.slot(1, 0.01);
  rollout.slot(1, 0.09);
  rollout.slot(2, 0.5);
  const auto url = [](const std::string& datasource) { return "http://" + datasource; };
  const Standing standing = standing_of(rollout.taken(), url);
  EXPECT_EQ(standing.number, 7U);
  EXPECT_EQ(standing.state, "analyzing");
  EXPECT_EQ(standing.took, minutes{4});
  EXPECT_EQ(standing.weight, 25);
  EXPECT_EQ(standing.steps, 3);
  EXPECT_EQ(standing.decision, "de_01jg-2");
  EXPECT_EQ(standing.condition, "latency") << "it counts, what only observes does not";
  EXPECT_EQ(standing.verdict, "failing");
  EXPECT_EQ(standing.value, 0.09);
  EXPECT_EQ(standing.rule, "> 0.05");
  EXPECT_EQ(standing.passed, 1U);
  EXPECT_EQ(standing.failed, 1U);
  EXPECT_EQ(standing.conditions, 3U);
  EXPECT_EQ(standing.passing, 1U);
  EXPECT_THAT(standing.graph, testing::StartsWith("http://default/graph?g0.expr=rate%28x%7Bapp"));
  EXPECT_THAT(standing_of(rollout.taken(), {}).graph, IsEmpty());
}

TEST(Standing, AGraphWhoseAddressIsTooLongIsLeftOut) {
  InTheMiddle rollout;
  const auto url = [](const std::string&) { return "http://" + std::string(2000, 'h'); };
  EXPECT_THAT(standing_of(rollout.taken(), url).graph, IsEmpty());
}

TEST(Standing, TravelsBesideTheNotice) {
  const std::string payload = with_standing(to_payload(Notice{}), rolled_back());
  EXPECT_TRUE(from_payload(payload).has_value());
  const auto back = standing_in(payload);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(with_standing("{}", *back), with_standing("{}", rolled_back()));
  EXPECT_EQ(back->took, rolled_back().took);
  EXPECT_EQ(back->at, rolled_back().at);
  EXPECT_FALSE(standing_in(to_payload(Notice{})).has_value());
  for (const char* text : {"", "[]", R"({"standing":1})", R"({"standing":{"at":"soon"}})"})
    EXPECT_FALSE(standing_in(text).has_value()) << text;
  const auto odd = standing_in(
      R"({"standing":{"at":"2026-01-02T03:04:05.678Z","number":"x","value":"y","step":null}})");
  ASSERT_TRUE(odd.has_value());
  EXPECT_EQ(odd->step, -1);
}

TEST(Standing, AConditionsFirstFailingCheckIsSaidOnce) {
  InTheMiddle rollout;
  rollout.slot(0, 0.09);
  const auto first = first_failures(rollout.taken());
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].condition, "errors");
  EXPECT_EQ(first[0].value, 0.09);
  EXPECT_THAT(first[0].summary, testing::StartsWith("first failing check: errors 0.09 > 0.05"));
  EXPECT_THAT(first[0].summary, testing::EndsWith(" (3 would fail it)"));
  rollout.before = rollout.after;
  rollout.slot(0, 0.1);
  EXPECT_THAT(first_failures(rollout.taken()), IsEmpty()) << "not each";
  rollout.slot(1, 0.1);
  rollout.after.conditions[1].failed = true;
  EXPECT_THAT(first_failures(rollout.taken()), IsEmpty()) << "what follows says it";
  rollout.before.conditions.clear();
  EXPECT_THAT(first_failures(rollout.taken()), IsEmpty()) << "a registration";
}

}  // namespace
}  // namespace rollwatch
