// What is said of a comparison that is read, but is probably not what was meant.
#include "config/compare_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/plan_decoder.h"
#include "config/plan_warnings.h"
#include "test/config/config_support.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// The warnings about a plan with these members, one after the other.
std::string warned(const std::string& members) {
  const auto document = value_from_json("{" + members + "}");
  EXPECT_TRUE(document);
  const auto plan = decode_plan(*document, Steps::kOptional);
  EXPECT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
  std::string text;
  for (const FieldError& warning : plan_warnings(*plan, *document))
    text += (text.empty() ? "" : "\n") + warning.message;
  return text;
}

std::string rate(const std::string& name, const std::string& more = "") {
  return R"({"name": ")" + name +
         R"(", "compare": "rate", "events": "r{v=\"{{version}}\"}", "bad_events": "e{v=\"{{version}}\"}")" +
         more + "}";
}
std::string early(const std::string& name, const std::string& more = "") {
  return rate(name, R"(, "early_promote": true)" + more);
}

const std::string kTwoSteps =
    R"("steps": [{"weight": 5, "hold": "5m"}, {"weight": 25, "hold": "5m"}], "condition": [)";

TEST(CompareWarnings, AnEarlyPromotionThatNeverComesIsNamedWithTheWayOut) {
  const std::string guard = R"({"name": "cpu", "query": "cpu > 0.9", "steps": [25]})";
  const std::string ranks =
      R"({"name": "queue", "compare": "mann-whitney", "query": "q{v=\"{{version}}\"}")";
  const struct {
    const char* name;
    std::string members;
    std::vector<std::string> says;  // none: no warning
  } rows[] = {
      {"alone", kTwoSteps + early("a") + "]", {}},
      {"all of them", kTwoSteps + early("a") + "," + early("b") + "]", {}},
      {"another has none",
       kTwoSteps + early("a") + "," + rate("b") + "]",
       {"condition \"a\": early_promote never acts: \"b\" compares and gates as well",
        "give that early_promote = true, or on_fail = \"observe\""}},
      {"another only observes",
       kTwoSteps + early("a") + "," + rate("b", R"(, "on_fail": "observe")") + "]",
       {}},
      {"a test with one look",
       kTwoSteps + early("a") + "," + ranks + "}]",
       {"\"queue\" gates as well, and its test proves no candidate good"}},
      {"a test with one look that observes",
       kTwoSteps + early("a") + "," + ranks + R"(, "on_fail": "observe"}])",
       {}},
      {"it observes itself",
       kTwoSteps + early("a", R"(, "on_fail": "observe")") + "]",
       {"condition \"a\": early_promote does nothing where on_fail = \"observe\"; leave it out"}},
      {"the last step asks",
       R"("steps": [{"weight": 5, "hold": "5m"}, {"weight": 25, "hold": "5m", "approve": true}], "condition": [)" +
           early("a") + "]",
       {"early_promote never acts: a step that asks for an approval is never passed over",
        "use approve = \"promote\" of the policy"}},
      {"the first step asks",
       R"("steps": [{"weight": 5, "hold": "5m", "approve": true}, {"weight": 25, "hold": "5m"}], "condition": [)" +
           early("a") + "]",
       {}},
      {"the promotion asks", R"("approve": "promote", )" + kTwoSteps + early("a") + "]", {}},
      {"never asked together",
       kTwoSteps + early("a", R"(, "steps": [5])") + "," + early("b", R"(, "steps": [25])") + "]",
       {"condition \"a\": early_promote never acts: in no step are all comparisons that gate asked",
        "condition \"b\": early_promote never acts"}},
      {"a guard of a later step",
       kTwoSteps + early("a", R"(, "steps": [5])") + "," + guard + "]",
       {"\"cpu\" is asked in a later step for the first time, which is never passed over"}},
      {"a guard of a later step, in which it can act",
       kTwoSteps + early("a") + "," + guard + "]",
       {}},
      {"too short",
       R"("steps": [{"weight": 5, "hold": "1m"}, {"weight": 25, "hold": "1m"}], "condition": [)" +
           early("a") + "]",
       {"it takes 5 compared slots, one every 30s, and all steps are held for 2m together"}},
      {"just long enough", R"("duration": "150s", "condition": [)" + early("a") + "]", {}},
      {"a policy without steps", R"("condition": [)" + early("a") + "]", {}},
      {"nobody asks for it", kTwoSteps + rate("a") + "," + ranks + "}]", {}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string text = warned(row.members);
    if (row.says.empty()) {
      EXPECT_EQ(text, "");
    }
    for (const std::string& part : row.says) EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(CompareWarnings, ANumberBesideADifferenceIsNamed) {
  const auto gauge = [](const std::string& more) {
    return warned(kTwoSteps +
                  R"({"name": "memory", "compare": "gauge", "query": "m{v=\"{{version}}\"}")" +
                  more + "}]");
  };
  EXPECT_THAT(
      gauge(R"(, "tolerance": 0.1, "promote_margin": {"difference": 5})"),
      HasSubstr("condition \"memory\": tolerance = 0.1 is taken for a difference of 0.1, as "
                "promote_margin is one; write tolerance = { difference = 0.1 }, or give both "
                "as parts of stable's value"));
  EXPECT_THAT(gauge(R"(, "tolerance": {"difference": 5}, "promote_margin": 8)"),
              HasSubstr("promote_margin = 8 is taken for a difference of 8, as tolerance is one"));
  EXPECT_EQ(gauge(R"(, "tolerance": {"difference": 5}, "promote_margin": {"difference": 8})"), "");
  EXPECT_EQ(gauge(R"(, "tolerance": 0.1, "promote_margin": 0.2)"), "");
  EXPECT_EQ(gauge(R"(, "tolerance": {"part": 0.1}, "promote_margin": 0.2)"), "");
  EXPECT_EQ(gauge(R"(, "promote_margin": {"difference": 8})"), "");
}

}  // namespace
}  // namespace rollwatch
