// What the process hands back: it is not counted any more, and there when it is needed again.
#include "daemon/app/memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace rollwatch {
namespace {

// Of what is mapped from files, how much is in use.
long mapped_kilobytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word)
    if (word == "RssFile:") {
      long kilobytes = 0;
      status >> kilobytes;
      return kilobytes;
    }
  return -1;
}

TEST(Memory, CodeThatDoesNotRunIsNotInUse) {
  const long before = mapped_kilobytes();
  ASSERT_GT(before, 0);
  let_go_of_code();
  const long after = mapped_kilobytes();
  EXPECT_GT(after, 0) << "this code runs";
  EXPECT_LT(after, before);
  EXPECT_THROW(throw std::string("unwinding finds its tables again"), std::string);
}

}  // namespace
}  // namespace rollwatch
