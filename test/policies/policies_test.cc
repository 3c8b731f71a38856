// The policies that are shipped to be copied, in config/policies: each is loaded, registered with
// and asked of real servers that hold what the system it is for exports. A file in that folder
// without a *.series file here fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "analysis/judge.h"
#include "analysis/render.h"
#include "config/loader.h"
#include "config/merge.h"
#include "test/policies/shape.h"
#include "test/prometheus/both_servers.h"

namespace rollwatch {
namespace {

namespace fs = std::filesystem;

const fs::path kPolicies = fs::path(ROLLWATCH_SOURCE_DIR) / "config" / "policies";
const fs::path kShapes = fs::path(ROLLWATCH_SOURCE_DIR) / "test" / "policies";

std::vector<fs::path> files_in(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Shape> all_shapes() {
  std::vector<Shape> shapes;
  for (const fs::path& file : files_in(kShapes, ".series"))
    shapes.push_back(read_shape(file.string(), read_file(file)));
  return shapes;
}

// All of them together, copied to conf.d as the documentation says.
Settings load_all() {
  const TempDir folder;
  write_file(folder / "rollwatch.toml", "[datasource.default]\nurl = \"http://127.0.0.1:9090\"\n");
  fs::create_directory(folder / "conf.d");
  for (const fs::path& file : files_in(kPolicies, ".toml"))
    fs::copy_file(file, folder / "conf.d" / file.filename());
  auto settings = load_config((folder / "rollwatch.toml").string(), process_environment());
  if (!settings) throw std::runtime_error(settings.error().front().text());
  return std::move(*settings);
}

Plan plan_of(const Settings& settings, const std::vector<std::string>& policies) {
  auto merged = merge_analysis(settings, "shop", "checkout", policies, nullptr);
  if (!merged) throw std::runtime_error(merged.error().front().text());
  EXPECT_THAT(merged->warnings, testing::IsEmpty());
  return std::move(merged->plan);
}

const ThresholdCondition& threshold(const ConditionPlan& condition) {
  return std::get<ThresholdCondition>(condition.kind);
}

Expectation expected(const Candidate& candidate, const std::string& condition) {
  const auto named = candidate.judged.find(condition);
  if (named != candidate.judged.end()) return named->second;
  const auto all = candidate.judged.find("all");
  if (all != candidate.judged.end()) return all->second;
  throw std::runtime_error(candidate.version + " expects nothing of " + condition);
}

bool every_is(const Plan& plan, const Candidate& candidate, Outcome outcome) {
  return std::all_of(plan.conditions.begin(), plan.conditions.end(), [&](const auto& condition) {
    return expected(candidate, condition.name).outcome == outcome;
  });
}

TEST(Policies, LoadTogetherWithoutAWarning) {
  EXPECT_THAT(load_all().warnings, testing::IsEmpty());
}

// A shape that could not fail a policy would prove nothing.
TEST(Policies, EachIsProvenByAShapeThatCanFailIt) {
  const Settings settings = load_all();
  std::set<std::string> proven;
  for (const Shape& shape : all_shapes()) {
    SCOPED_TRACE(shape.file);
    ASSERT_EQ(settings.policies.count(shape.policy), 1u) << "no policy " << shape.policy;
    EXPECT_TRUE(proven.insert(shape.policy).second) << "there are two shapes of it";
    const Plan plan = plan_of(settings, {shape.policy});
    const auto some_candidate_is = [&](Outcome outcome) {
      return std::any_of(shape.candidates.begin(), shape.candidates.end(),
                         [&](const Candidate& c) { return every_is(plan, c, outcome); });
    };
    EXPECT_TRUE(some_candidate_is(Outcome::kPass)) << "no candidate that passes everywhere";
    EXPECT_TRUE(some_candidate_is(Outcome::kNoData)) << "no candidate without traffic";
    std::set<std::string> names{"all"};
    for (const ConditionPlan& condition : plan.conditions) {
      names.insert(condition.name);
      EXPECT_TRUE(std::any_of(shape.candidates.begin(), shape.candidates.end(),
                              [&](const Candidate& c) {
                                return expected(c, condition.name).outcome == Outcome::kFail;
                              }))
          << "no candidate fails " << condition.name;
    }
    for (const Candidate& candidate : shape.candidates) {
      for (const auto& [condition, expectation] : candidate.judged)
        EXPECT_TRUE(names.contains(condition)) << "there is no condition " << condition;
    }
  }
  for (const auto& [policy, document] : settings.policies)
    EXPECT_TRUE(proven.contains(policy)) << policy << " has no test/policies/*.series";
}

// jvm.toml says so.
TEST(Policies, TheJvmsCanBeAddedToAnyOther) {
  const Settings settings = load_all();
  for (const std::string policy :
       {"http", "istio", "gateway-api", "envoy", "linkerd", "nginx", "haproxy"}) {
    SCOPED_TRACE(policy);
    EXPECT_EQ(plan_of(settings, {policy, "jvm"}).conditions.size(),
              plan_of(settings, {policy}).conditions.size() + 4);
  }
}

// One candidate's condition, asked of one server.
struct Asked {
  std::string what;
  const ConditionPlan* condition = nullptr;
  Outcome outcome = Outcome::kNoData;  // as it has to be
  std::optional<double> expected_value;
  std::size_t value = 0, evidence = 0;  // indices of the questions
};

class Inquiry {
 public:
  void add(const Shape& shape, const Plan& plan, const std::string& datasource) {
    for (const Candidate& candidate : shape.candidates) {
      for (const ConditionPlan& condition : plan.conditions)
        add(shape, condition, datasource, candidate, expected(candidate, condition.name));
    }
    for (const ConditionPlan& condition : plan.conditions)
      add(shape, condition, datasource, {"never-seen", "is exported by nobody", {}}, Expectation{});
  }

  std::vector<Asked> asked;
  std::vector<Question> questions;

 private:
  void add(const Shape& shape, const ConditionPlan& condition, const std::string& datasource,
           const Candidate& candidate, const Expectation& expectation) {
    const std::string& version = candidate.version;
    RolloutSpec spec;
    spec.id = "ro_1";
    spec.ns = shape.ns;
    spec.service = shape.service;
    spec.stable = "1.23";
    spec.candidate = version;
    for (const auto& [name, value] : shape.args) spec.args[name] = with_candidate(value, version);
    if (!threshold(condition).evidence)
      throw std::runtime_error(condition.name + " counts no evidence");
    const std::size_t first = questions.size();
    for (const promql::QueryTemplate* query :
         {&threshold(condition).query, &*threshold(condition).evidence}) {
      auto rendered = render_query(*query, spec, condition, 0, 5.0);
      if (!rendered) throw std::runtime_error(condition.name + ": " + rendered.error().message);
      Question question;
      question.datasource = datasource;
      question.query = *rendered;
      question.time = SysTime{std::chrono::seconds(kShapeEnd)};
      questions.push_back(std::move(question));
    }
    const bool otherwise = datasource == "victoria" && expectation.at_victoria;
    asked.push_back({datasource + ": " + condition.name + " of " + shape.policy + ", " + version +
                         " " + candidate.story,
                     &condition, otherwise ? *expectation.at_victoria : expectation.outcome,
                     expectation.value, first, first + 1});
  }
};

void expect_judgement(const Asked& asked, const Judgement& judged) {
  EXPECT_EQ(name_of(judged.outcome), name_of(asked.outcome)) << describe(judged);
  if (!asked.expected_value) return;
  ASSERT_TRUE(judged.value);
  EXPECT_NEAR(*judged.value, *asked.expected_value, 0.01 * std::abs(*asked.expected_value));
}

TEST(Policies, TellGoodFromBadOnRealServers) {
  const Settings settings = load_all();
  const std::vector<Shape> shapes = all_shapes();
  std::string samples;
  std::vector<Plan> plans;
  plans.reserve(shapes.size());
  Inquiry inquiry;
  for (const Shape& shape : shapes) {
    samples += shape.samples;
    plans.push_back(plan_of(settings, {shape.policy}));
    for (const char* datasource : kBoth) inquiry.add(shape, plans.back(), datasource);
  }
  BothServers servers(samples);
  const std::vector<Answer> answers = servers.ask(inquiry.questions);
  for (const Asked& asked : inquiry.asked) {
    SCOPED_TRACE(asked.what + "\n" + inquiry.questions[asked.value].query.str());
    JudgeContext context;
    context.evaluated_at = SysTime{std::chrono::seconds(kShapeEnd)};
    context.step_since = context.evaluated_at - first_slot_after(*asked.condition);
    expect_judgement(
        asked, judge(*asked.condition, answers[asked.value], &answers[asked.evidence], context));
  }
}

}  // namespace
}  // namespace rollwatch
