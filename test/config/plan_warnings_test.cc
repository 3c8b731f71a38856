#include "config/plan_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/plan_decoder.h"
#include "test/config/config_support.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

TEST(PlanWarnings, SayWhatIsProbablyNotMeant) {
  struct Row {
    const char* name;
    const char* members;
    const char* warning;  // "": none
  };
  const Row rows[] = {
      {"a burst fills all slots",
       R"("query": "rate(x[{{window}}]) > 1", "window": "5m", "interval": "30s")",
       "fail_after (3) is not greater than window / interval (5m / 30s)"},
      {"exactly as many slots", R"("query": "rate(x[{{window}}]) > 1", "window": "90s")",
       "fail_after (3) is not greater"},
      {"enough slots", R"("query": "rate(x[{{window}}]) > 1", "window": "1m")", ""},
      {"the window is not used", R"("query": "x > 1", "window": "5m")", ""},
      {"a filter beside a rule", R"("query": "x > 0", "fail_if": "> 5")",
       "the query itself ends in \"> 0\""},
      {"no filter", R"("query": "x", "fail_if": "> 5")", ""},
      {"a filter with any", R"("query": "x > 0", "fail_if": "any", "evidence": "y")", ""},
      {"numerator that may be empty",
       R"("query": "sum(rate(x{a=\"b\",code=~\"5..\"}[1m])) / sum(rate(x{a=\"b\"}[1m])) > 0.05")",
       "only it matches on \"code\""},
      {"numerator that is never empty",
       R"("query": "(sum(rate(x{a=\"b\",code=~\"5..\"}[1m])) or vector(0)) / sum(rate(x{a=\"b\"}[1m])) > 0.05")",
       ""},
      {"sum by count", R"("query": "rate(x_sum{a=\"b\"}[1m]) / rate(x_count{a=\"b\"}[1m]) > 1")",
       ""},
      {"division inside of a call", R"("query": "sum(x{code=\"5\"} / y) > 1")", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto document = value_from_json(R"({"duration": "1m", "condition": [{"name": "c", )" +
                                          std::string(row.members) + "}]}");
    ASSERT_TRUE(document);
    const auto plan = decode_plan(*document);
    ASSERT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
    const FieldErrors warnings = plan_warnings(*plan, *document);
    if (*row.warning == '\0') {
      EXPECT_TRUE(warnings.empty()) << warnings.front().message;
      continue;
    }
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_THAT(warnings[0].message,
                testing::AllOf(HasSubstr("condition \"c\": "), HasSubstr(row.warning)));
  }
}

}  // namespace
}  // namespace rollwatch
