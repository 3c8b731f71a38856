#include "config/field_error.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <tuple>

namespace rollwatch {

namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Edits (insert, delete, replace, swap of neighbours) that make one text the other.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before, last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    before = last;
    last = now;
  }
  return last.back();
}

}  // namespace

std::string FieldError::text() const {
  std::string out = origin.place();
  const auto add = [&out](const std::string& part) {
    if (part.empty()) return;
    if (!out.empty()) out += ": ";
    out += part;
  };
  add(key);
  add(message);
  return out;
}

std::string FieldError::detail() const {
  return origin.file.empty() ? message : origin.source() + ": " + message;
}

void tidy(FieldErrors& errors, const std::string& main_file) {
  const auto rank = [&main_file](const FieldError& error) {
    const Origin& at = error.origin;
    return std::tuple<bool, const std::string&, int, int, const std::string&>(
        at.file != main_file, at.file, at.line, at.column, error.message);
  };
  const auto less = [&rank](const FieldError& a, const FieldError& b) { return rank(a) < rank(b); };
  std::stable_sort(errors.begin(), errors.end(), less);
  const auto same = [](const FieldError& a, const FieldError& b) { return a.text() == b.text(); };
  errors.erase(std::unique(errors.begin(), errors.end(), same), errors.end());
}

std::string nearest(const std::string& text, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestCompared = 64;
  if (text.size() > kLongestCompared) return "";
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, text.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t edits = distance(lower(text), lower(candidate));
    if (edits < best_distance) {
      best_distance = edits;
      best = candidate;
    }
  }
  if (!best.empty()) return best;
  // "webhook" for "webhook_url", "condition" for "conditions_of_it".
  const auto starts = [](const std::string& a, const std::string& b) {
    return a.size() >= 4 && b.rfind(a, 0) == 0;
  };
  for (const std::string& candidate : candidates) {
    if (starts(text, candidate) || starts(candidate, text)) return candidate;
  }
  return "";
}

std::string suggestion(const std::string& text, const std::vector<std::string>& candidates,
                       const std::string& introduction, const std::string& none) {
  if (candidates.empty()) return none;
  const std::string close = nearest(text, candidates);
  if (!close.empty()) return ": did you mean \"" + close + "\"?";
  std::string list;
  for (const std::string& candidate : candidates) list += (list.empty() ? "" : ", ") + candidate;
  return "; " + introduction + ' ' + list;
}

}  // namespace rollwatch
