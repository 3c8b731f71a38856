// The pieces of a rollout's server-made page.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rollwatch {

// "" for null.
std::string text_of(const nlohmann::ordered_json& text);
// As short as it can be read; "" for null.
std::string number_text(const nlohmann::ordered_json& number);
// "no_data" → "no data"
std::string words_of(std::string_view name);
// A shape and the words: never a colour alone.
std::string mark_of_state(std::string_view state);
std::string mark_of_outcome(std::string_view outcome);

// Rows of HTML under a heading; in a box of its own, which a keyboard can scroll.
class Table {
 public:
  explicit Table(const std::vector<std::string_view>& heads);
  void add(const std::vector<std::string>& cells);
  // `none`: what is said instead of a table without rows; `earlier`: rows that are left out.
  std::string html(std::string_view heading, std::string_view none, std::size_t earlier) const;
  std::string html_alone(std::string_view label) const;

 private:
  std::string head_, body_;
};

// A condition: what it asks, how it stands, its values as a line, its latest slots.
std::string condition_html(const nlohmann::ordered_json& condition);

}  // namespace rollwatch
