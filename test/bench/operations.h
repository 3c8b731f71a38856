// The steps of one evaluation that only compute, each on a small input that is always the same: for
// the micro-benchmarks, and for the count of instructions that guards them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace rollwatch::bench {

struct Operation {
  std::string name;
  std::function<std::size_t()> run;  // what it returns depends on all of its work
};

std::vector<Operation> operations();

}  // namespace rollwatch::bench
