// What the engine refuses of a registration because a query of it could not be asked: at every
// point of the rollout's way, with the field that has to be given. And first releases, which have
// no stable version to put into a query.
#include <gmock/gmock.h>

#include "test/engine/engine_fixture.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kPolicies = R"toml(
[datasource.default]
url = "http://127.0.0.1:9090"
[orchestrator.deployer]
url = "http://127.0.0.1:8080/rollouts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[defaults]
steps = [ { weight = 5 }, { weight = 50 } ]
soak = "1m"
[policy.label]
condition = [ { name = "a", query = 'x{tier="{{labels.tier}}"} > 1' } ]
[policy.arg]
condition = [ { name = "a", query = 'x * {{args.n}} > 1' } ]
[policy.evidence]
condition = [ { name = "a", query = 'x > 1', evidence = 'y{s="{{stable}}"}' } ]
[policy.select]
condition = [ { name = "a", query = 'x > 1', select = { tier = "{{labels.tier}}" } } ]
[policy.ready]
ready = { query = 'up{tier="{{labels.tier}}"}', at_least = 1 }
[policy.soaking]
condition = [ { name = "a", query = 'x{tier="{{labels.tier}}"} > 1', steps = [100] } ]
[policy.weight]
duration = "1h"
condition = [ { name = "a", query = 'x * {{weight}} > 1' } ]
[policy.compared]
ready = { query = 'up{v="{{stable}}"}', at_least = 1 }
[[policy.compared.condition]]
name = "first"
query = 'x{v="{{stable}}"} > 1'
[[policy.compared.condition]]
name = "second"
query = 'y > 1'
select = { v = "{{stable}}" }
[[policy.compared.condition]]
name = "third"
query = 'bad > 1'
)toml";

class Variables : public testing::Test {
 protected:
  Variables() { world.configure(kPolicies); }

  static RolloutSpec spec(const std::string& policy) {
    RolloutSpec spec;
    spec.service = "checkout-" + policy;
    spec.stable = "1.0";
    spec.candidate = "1.1";
    spec.policy = {policy};
    return spec;
  }

  World world;
};

TEST_F(Variables, AProblemNamesTheFieldThatIsToBeGiven) {
  struct Row {
    const char* name;
    const char* policy;
    std::map<std::string, std::string> labels, args;
    const char* pointer;
    const char* says;
  };
  const Row rows[] = {
      {"a label that is not there",
       "label",
       {},
       {},
       "/labels/tier",
       "condition a: {{labels.tier}} is not given; send it with the registration, or leave it out "
       "of the query"},
      {"an empty label",
       "label",
       {{"tier", ""}},
       {},
       "/labels/tier",
       "condition a: {{labels.tier}} is empty; give it a value"},
      {"no number",
       "arg",
       {},
       {{"n", "many"}},
       "/args/n",
       "condition a: {{args.n}} stands where a number is needed, such as 5 or 0.25"},
      {"in what picks the series",
       "select",
       {},
       {},
       "/labels/tier",
       "condition a: {{labels.tier}} is not given"},
      {"empty, in what picks the series",
       "select",
       {{"tier", ""}},
       {},
       "/labels/tier",
       "condition a: {{labels.tier}} is empty"},
      {"for readiness", "ready", {}, {}, "/labels/tier", "readiness: {{labels.tier}} is not given"},
      {"in the soak only",
       "soaking",
       {},
       {},
       "/labels/tier",
       "condition a: {{labels.tier}} is not given"},
      {"a weight where there is none",
       "weight",
       {},
       {},
       "/analysis/condition/0/query",
       "condition a: {{weight}} has no value: a plan with duration orders no weight; leave it out"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    RolloutSpec wanted = spec(row.policy);
    wanted.labels = row.labels;
    wanted.args = row.args;
    const RegisterResult result = world.register_rollout(wanted);
    EXPECT_EQ(result.end, RegisterEnd::kRefused);
    ASSERT_THAT(result.problems, SizeIs(1));
    EXPECT_EQ(result.problems[0].pointer, row.pointer);
    EXPECT_THAT(result.problems[0].detail, HasSubstr(row.says));
  }
}

TEST_F(Variables, WithAllOfThemItIsRegistered) {
  for (const char* policy : {"label", "arg", "evidence", "select", "ready", "soaking"}) {
    SCOPED_TRACE(policy);
    RolloutSpec wanted = spec(policy);
    wanted.labels = {{"tier", "web"}};
    wanted.args = {{"n", "5"}};
    const RegisterResult result = world.register_rollout(wanted);
    EXPECT_EQ(result.end, RegisterEnd::kCreated);
    EXPECT_THAT(result.warnings, IsEmpty());
  }
}

// What needs the stable version is left out and named, readiness too; what is left is checked, and
// a pointer counts the conditions as the pinned analysis does.
TEST_F(Variables, AFirstReleaseIsWatchedWithoutWhatNeedsStable) {
  RolloutSpec first = spec("compared");
  first.stable = "";
  const RegisterResult result = world.register_rollout(first);
  EXPECT_EQ(result.end, RegisterEnd::kCreated);
  EXPECT_THAT(result.warnings,
              ElementsAre("condition first is left out: it needs a stable version",
                          "condition second is left out: it needs a stable version",
                          "condition ready is left out: it needs a stable version"));
  ASSERT_TRUE(result.rollout);
  ASSERT_THAT(result.rollout->plan->conditions, SizeIs(1));
  EXPECT_EQ(result.rollout->plan->conditions[0].name, "third");
  EXPECT_FALSE(result.rollout->plan->ready);
  EXPECT_THAT(result.rollout->document->analysis, HasSubstr("\"name\":\"first\""))
      << "pinned as it was merged";

  world.metrics_are("bad", {Behaviour::Kind::kBadQuery, {}});
  first.service = "another";
  const RegisterResult refused = world.register_rollout(first);
  ASSERT_THAT(refused.problems, SizeIs(1));
  EXPECT_EQ(refused.problems[0].pointer, "/analysis/condition/2/query");
}

TEST_F(Variables, WithAStableVersionNothingIsLeftOut) {
  const RegisterResult result = world.register_rollout(spec("compared"));
  EXPECT_EQ(result.end, RegisterEnd::kCreated);
  EXPECT_THAT(result.warnings, IsEmpty());
  EXPECT_THAT(result.rollout->plan->conditions, SizeIs(4));
}

}  // namespace
}  // namespace rollwatch
