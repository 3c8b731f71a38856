// Plays a scenario file: one story, told in lines, that a platform engineer can read and write.
//
//   # A good release goes through both steps and is promoted.
//   policy
//     steps = [ { weight = 5, hold = "2m" }, { weight = 100 } ]
//   condition errors
//     query = 'errors > 0.05'
//   metric errors = 0.01
//   register 1.24 over 1.23
//   after 10m
//   expect promoted
//   expect orders advance 5, promote 100
//
// docs/contributing.md lists the words.
#pragma once

#include <optional>
#include <string>

namespace rollwatch {

// nullopt if the story went as told; else "file:line: what was expected and what was so".
std::optional<std::string> play_scenario(const std::string& file, const std::string& text);

}  // namespace rollwatch
