// The process of the fake datasource: rollwatch_bench_datasource PORT
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "test/bench/fake_datasource.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: rollwatch_bench_datasource PORT\n");
    return 64;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  try {
    rollwatch::bench::FakeDatasource(std::atoi(argv[1])).serve();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rollwatch_bench_datasource: %s\n", error.what());
    return 1;
  }
}
