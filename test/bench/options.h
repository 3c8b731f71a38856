// The command lines of benchmarks: "--name value" from a table, and switches without a value.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace rollwatch::bench {

using OptionTarget = std::variant<std::size_t*, double*, std::string*, bool*>;

// Throws std::invalid_argument that names the known ones.
void read_options(int argc, char** argv, const std::map<std::string_view, OptionTarget>& known);

// main() of a benchmark: runs it, and tells what it threw. Ctrl-C ends it in order (window.h), and
// whatever it starts may have as many files open as the system allows.
int run_benchmark(const char* name, void (*benchmark)(int argc, char** argv), int argc,
                  char** argv);

}  // namespace rollwatch::bench
