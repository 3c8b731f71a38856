// What a scenario found, one number at a time, beside what it must be and what is aimed at.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace rollwatch::bench {

struct Finding {
  std::string what;
  double value = 0;
  std::string unit;
  std::optional<double> must = {}, aim = {};
  bool is_more_better = false;
};

// Prints them under a heading, and keeps them for the file.
class Findings {
 public:
  void add(const std::string& scenario, const std::vector<Finding>& found);
  // A JSON array, for a program to read.
  void write(const std::string& file) const;

 private:
  std::string json_;
};

}  // namespace rollwatch::bench
