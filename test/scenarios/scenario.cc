#include "test/scenarios/scenario.h"

#include <exception>
#include <sstream>

#include "test/scenarios/story.h"

namespace rollwatch {

std::optional<std::string> play_scenario(const std::string& file, const std::string& text) {
  Story story;
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    try {
      story.line(line);
    } catch (const std::exception& error) {
      return file + ":" + std::to_string(number) + ": " + line + "\n  " + error.what();
    }
  }
  return std::nullopt;
}

}  // namespace rollwatch
