#include "config/field_error.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

TEST(Nearest, FindsWhatWasMeant) {
  const std::vector<std::string> keys = {"interval", "initial_delay", "query", "webhook_url",
                                         "steps"};
  EXPECT_EQ(nearest("intervall", keys), "interval");
  EXPECT_EQ(nearest("Interval", keys), "interval");
  EXPECT_EQ(nearest("qurey", keys), "query");
  EXPECT_EQ(nearest("webhook", keys), "webhook_url");
  EXPECT_EQ(nearest("step", keys), "steps");
  EXPECT_EQ(nearest("zzzzzz", keys), "");
  EXPECT_EQ(nearest("x", keys), "");
  EXPECT_EQ(nearest(std::string(100'000, 'i'), keys), "");
}

TEST(Suggestion, ListsWhatThereIsIfNothingIsClose) {
  EXPECT_EQ(suggestion("qurey", {"query"}, "there are", ""), ": did you mean \"query\"?");
  EXPECT_EQ(suggestion("zzz", {"a", "b"}, "there are", ""), "; there are a, b");
  EXPECT_EQ(suggestion("zzz", {}, "there are", "; none"), "; none");
}

TEST(Tidy, OrdersByFileLineAndColumnAndDropsRepeats) {
  const auto error = [](const char* file, int line, int column) {
    return FieldError{Origin{"", file, line, column, ""}, "k", "m"};
  };
  FieldErrors errors = {error("a.toml", 1, 1), error("z.toml", 10, 1), error("z.toml", 2, 9),
                        error("z.toml", 2, 3), error("z.toml", 2, 9)};
  tidy(errors, "z.toml");
  std::string text;
  for (const FieldError& each : errors) text += each.text() + '\n';
  EXPECT_EQ(text, "z.toml:2:3: k: m\nz.toml:2:9: k: m\nz.toml:10:1: k: m\na.toml:1:1: k: m\n");
}

TEST(FieldError, DetailNamesTheFileButNotThePointer) {
  const FieldError in_request{Origin{"request", "", 0, 0, "/analysis/soak"}, "soak", "is bad"};
  EXPECT_EQ(in_request.detail(), "is bad");
  const FieldError in_file{Origin{"policy http", "/etc/r/rollwatch.toml", 4, 2, ""}, "soak",
                           "is bad"};
  EXPECT_EQ(in_file.detail(), "policy http rollwatch.toml:4: is bad");
}

}  // namespace
}  // namespace rollwatch
