// What is wrong in a configuration file or a request, where, and what to do about it.
#pragma once

#include <string>
#include <vector>

#include "config/value.h"

namespace rollwatch {

struct FieldError {
  Origin origin;        // where; its pointer is what a 422 answer names
  std::string key;      // dotted, as in a file: "policy.http.interval"; "" in a request
  std::string message;  // what is wrong; what to do

  // "rollwatch.toml:12:3: policy.http.intervall: unknown key …", "/analysis/intervall: unknown key
  // …"
  std::string text() const;
  // For an answer that has the pointer beside it: the message, after the place if that is in a
  // file.
  std::string detail() const;
};
using ConfigError = FieldError;
using FieldErrors = std::vector<FieldError>;

// In the order of files (main file first), lines and columns, each once.
void tidy(FieldErrors& errors, const std::string& main_file);

// The candidate that text was probably meant to be: few edits away; "" if none is close.
std::string nearest(const std::string& text, const std::vector<std::string>& candidates);

// ": did you mean "x"?", or a list of what there is, or `none` if there is nothing.
std::string suggestion(const std::string& text, const std::vector<std::string>& candidates,
                       const std::string& introduction, const std::string& none);

}  // namespace rollwatch
