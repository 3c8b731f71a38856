// The last values of each condition as a line of little bars, drawn against the limit.
#pragma once

#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace rollwatch {

// "▁▂▁▄█": the bars reach from the smallest to the largest of values and limit, so that those of ">
// 0.05" touch the top when they are over it, and those of "< 0.99" the bottom when they are below.
// A slot without a value is a dot.
std::string bars(const std::deque<std::optional<double>>& values, const std::string& rule);

class Trends {
 public:
  static constexpr std::size_t kWidth = 12;

  // An evaluation of the history, oldest first.
  void add_evaluation(const nlohmann::json& evaluation);
  // What a rollout shows of its conditions now. A slot that is there already is not added again.
  void add_rollout(const nlohmann::json& rollout);

  // Empty if nothing is known of it.
  std::string of(const std::string& condition, const std::string& rule) const;

 private:
  void add(const std::string& condition, const std::string& slot, const nlohmann::json& value);

  struct Trend {
    std::string last_slot;  // times of one format sort as text
    std::deque<std::optional<double>> values;
  };
  std::map<std::string, Trend> trends_;
};

}  // namespace rollwatch
