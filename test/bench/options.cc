#include "test/bench/options.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "test/bench/window.h"

namespace rollwatch::bench {
namespace {

void set(const OptionTarget& target, const std::string& value) {
  if (auto* const* count = std::get_if<std::size_t*>(&target)) **count = std::stoul(value);
  if (auto* const* number = std::get_if<double*>(&target)) **number = std::stod(value);
  if (auto* const* text = std::get_if<std::string*>(&target)) **text = value;
}

}  // namespace

void read_options(int argc, char** argv, const std::map<std::string_view, OptionTarget>& known) {
  std::string names;
  for (const auto& [name, target] : known) names.append(" ").append(name);
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto found = known.find(name);
    if (found == known.end())
      throw std::invalid_argument("unknown option " + name + "; known are" + names);
    if (bool* const* is_on = std::get_if<bool*>(&found->second)) {
      **is_on = true;
      continue;
    }
    if (++i == argc) throw std::invalid_argument(name + " needs a value");
    set(found->second, argv[i]);
  }
}

int run_benchmark(const char* name, void (*benchmark)(int argc, char** argv), int argc,
                  char** argv) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  std::signal(SIGINT, [](int) { interrupt(); });
  std::signal(SIGTERM, [](int) { interrupt(); });
  try {
    benchmark(argc, argv);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
}

}  // namespace rollwatch::bench
