#include "daemon/storage/thinning.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace rollwatch {
namespace {

constexpr std::size_t kOneIn = 10;

using Rows = std::vector<const ThinRow*>;

// A decision saw the latest slot before it, or the one before that if the latest had no answer yet;
// the next one is what people compare with.
void mark_around(SysTime decided, const Rows& rows, std::vector<bool>& kept) {
  const auto after =
      std::upper_bound(rows.begin(), rows.end(), decided,
                       [](SysTime at, const ThinRow* row) { return at < row->slot; });
  const auto next = static_cast<std::size_t>(after - rows.begin());
  for (std::size_t i = next < 2 ? 0 : next - 2; i < std::min(next + 1, rows.size()); ++i)
    kept[i] = true;
}

bool goes_on(const ThinRow& row, const ThinRow& next) {
  return row.is_pass && next.is_pass && row.step == next.step;
}

void add_superfluous(const Rows& rows, const std::vector<SysTime>& decided,
                     std::vector<std::uint32_t>& numbers) {
  std::vector<bool> kept(rows.size(), false);
  for (const SysTime at : decided) mark_around(at, rows, kept);
  std::size_t in_run = 0;
  for (std::size_t i = 1; i + 1 < rows.size(); ++i) {
    in_run = goes_on(*rows[i - 1], *rows[i]) ? in_run + 1 : 0;
    const bool is_inside = in_run > 0 && goes_on(*rows[i], *rows[i + 1]);
    if (is_inside && !kept[i] && in_run % kOneIn != 0) numbers.push_back(rows[i]->number);
  }
}

}  // namespace

bool ThinPiece::add(ThinRow row, SysTime before) {
  if (row.slot >= before || rows.size() == kThinRows) {
    next = row.slot;
    return false;
  }
  rows.push_back(std::move(row));
  return true;
}

std::vector<std::uint32_t> superfluous(const std::vector<ThinRow>& rows,
                                       const std::vector<SysTime>& decided) {
  std::map<std::string_view, Rows> by_condition;
  for (const ThinRow& row : rows) by_condition[row.condition].push_back(&row);
  std::vector<std::uint32_t> numbers;
  for (const auto& [condition, its_rows] : by_condition)
    add_superfluous(its_rows, decided, numbers);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace rollwatch
