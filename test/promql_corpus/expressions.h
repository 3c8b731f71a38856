// Expressions nobody would write, of everything a mixin holds: brackets, comments and operators in
// any order, over series of the corpus. Values and limits are such that no sum hits a limit by
// rounding.
//
//   Expressions expressions(20260102);
//   expressions.one()   // "( # ) > 7 or (\ncanary_score unless node_load1)>= +3"
#pragma once

#include <random>
#include <string>
#include <vector>

namespace rollwatch {

class Expressions {
 public:
  explicit Expressions(unsigned seed) : random_(seed) {}

  // Half of them end in a comparison with a number; servers refuse some.
  std::string one();

 private:
  bool one_in(unsigned n) { return random_() % n == 0; }
  std::string pick(const std::vector<std::string>& all) { return all[random_() % all.size()]; }
  std::string space();
  std::string comparison();
  std::string number();
  std::string matching();
  std::string selector();
  std::string operand(int depth);

  std::mt19937 random_;
};

}  // namespace rollwatch
