// Everything a verb reaches outside itself, handed in by main and by tests.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "daemon/cli/pace.h"
#include "daemon/cli/transport.h"

namespace rollwatch {

struct Terminal {
  bool redraws = false;  // stderr is a terminal on which lines can be drawn again
  bool colours = false;
  bool can_ask = false;  // there is a person in front of stdin and stderr
  std::size_t columns = 80;
  std::size_t rows = 24;
};

// The references outlive the verb's run.
struct Surroundings {
  std::ostream& out;  // the result
  std::ostream& err;  // progress, questions and errors
  std::istream& in;
  Terminal terminal;
  std::string who;  // the default of --by
  Transport transport;
  Pace& pace;
  // Looks again how large the terminal is; empty where that does not change.
  std::function<void(Terminal&)> measure = nullptr;
  std::string context_file = {};  // where the contexts are, or would be
  // The environment; empty: there is none.
  std::function<std::optional<std::string>(const std::string&)> variable = nullptr;
};

}  // namespace rollwatch
