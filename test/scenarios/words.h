// Reading the words of a scenario's lines.
#pragma once

#include <string>
#include <vector>

#include "analysis/time.h"
#include "test/scenarios/script.h"

namespace rollwatch {

std::string trim(const std::string& text);

// "register 1.24 over 1.23" → "register", rest "1.24 over 1.23"
std::string take_word(std::string& rest);

// At every `by` that is not inside braces.
std::vector<std::string> split(const std::string& text, char by);

// These throw std::runtime_error with what is wrong.
Millis duration_in(const std::string& text);
double number_in(const std::string& text);
// "0.01", "0.01, nan", `{pod="a"} 0.2, {pod="b"} 0.3`, "partial 0.01", "no data", "down", …
Behaviour behaviour_in(const std::string& text);
Deployer deployer_in(const std::string& text);
[[noreturn]] void unknown(const std::string& what, const std::string& word);

// "rollback because it is slow", keyword "because" → "it is slow", rest "rollback"; "" without it.
std::string take_from(std::string& rest, const std::string& keyword);

}  // namespace rollwatch
