// How long the steps of one evaluation take, with Google Benchmark: rollwatch_bench_micro.
#include <benchmark/benchmark.h>

#include "test/bench/operations.h"

int main(int argc, char** argv) {
  for (const rollwatch::bench::Operation& operation : rollwatch::bench::operations())
    benchmark::RegisterBenchmark(operation.name.c_str(),
                                 [run = operation.run](benchmark::State& state) {
                                   for (auto _ : state) benchmark::DoNotOptimize(run());
                                 });
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
