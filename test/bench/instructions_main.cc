// The program that instructions.py counts the instructions of: under callgrind it leaves one dump
// for each operation, named by it, with what kTimes of them take.
#include <valgrind/callgrind.h>

#include <cstdio>

#include "test/bench/operations.h"

namespace {

constexpr int kTimes = 100;  // instructions.py divides by it
constexpr int kBefore = 10;  // what is only done once is over by then

}  // namespace

int main() {
  std::size_t sum = 0;
  for (const rollwatch::bench::Operation& operation : rollwatch::bench::operations()) {
    for (int i = 0; i < kBefore; ++i) sum += operation.run();
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < kTimes; ++i) sum += operation.run();
    CALLGRIND_DUMP_STATS_AT(operation.name.c_str());
  }
  std::printf("%zu\n", sum);
}
