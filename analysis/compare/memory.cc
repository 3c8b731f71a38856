#include "analysis/compare/memory.h"

#include <utility>
#include <variant>

#include "analysis/statistics/codec.h"

namespace rollwatch {

struct ConditionMemory::Kept {
  std::variant<statistics::ComparisonState, statistics::CountState> state;
  std::string bytes;
};

ConditionMemory::ConditionMemory(statistics::ComparisonState state) {
  std::string bytes = encode(state);
  kept_ = std::make_shared<const Kept>(Kept{std::move(state), std::move(bytes)});
}

ConditionMemory::ConditionMemory(statistics::CountState state) {
  std::string bytes = encode(state);
  kept_ = std::make_shared<const Kept>(Kept{std::move(state), std::move(bytes)});
}

const statistics::ComparisonState* ConditionMemory::comparison() const {
  return kept_ ? std::get_if<statistics::ComparisonState>(&kept_->state) : nullptr;
}

const statistics::CountState* ConditionMemory::count() const {
  return kept_ ? std::get_if<statistics::CountState>(&kept_->state) : nullptr;
}

std::string_view ConditionMemory::bytes() const {
  return kept_ ? kept_->bytes : std::string_view();
}

Expected<ConditionMemory, std::string> ConditionMemory::of(std::string_view bytes) {
  if (bytes.empty()) return ConditionMemory();
  const auto read = [bytes](auto state) -> Expected<ConditionMemory, std::string> {
    if (!state) return Unexpected(state.error());
    ConditionMemory memory;
    memory.kept_ = std::make_shared<const Kept>(Kept{*std::move(state), std::string(bytes)});
    return memory;
  };
  if (statistics::is_count_state(bytes))
    return read(statistics::decode<statistics::CountState>(bytes));
  return read(statistics::decode<statistics::ComparisonState>(bytes));
}

}  // namespace rollwatch
