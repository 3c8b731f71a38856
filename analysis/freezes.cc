#include "analysis/freezes.h"

#include <algorithm>

#include "analysis/mover.h"
#include "analysis/text.h"

namespace rollwatch {

bool holds(const FreezeRecord& freeze, SysTime now) {
  return !freeze.lifted_at && (!freeze.until || now < *freeze.until);
}

std::string sentence_of(const FreezeRecord& freeze) {
  const std::string what =
      (freeze.service.empty() ? std::string(kEverythingIs) : "") + "frozen by ";
  const std::string by = what + freeze.by;
  return freeze.reason.empty() ? by : by + ": " + freeze.reason;
}

void Freezes::set(FreezeRecord freeze) {
  by_service_[{freeze.ns, freeze.service}] = std::move(freeze);
}

std::optional<FreezeRecord> Freezes::find(const std::string& ns, const std::string& service) const {
  const auto found = by_service_.find({ns, service});
  if (found == by_service_.end()) return std::nullopt;
  return found->second;
}

std::optional<FreezeRecord> Freezes::in_force(const std::string& ns, const std::string& service,
                                              SysTime now) const {
  auto freeze = find(ns, service);
  if (freeze && !holds(*freeze, now)) freeze.reset();
  return freeze;
}

FreezeChanged Freezes::on(const std::string& ns, const std::string& service, SysTime now) const {
  const auto own = in_force(ns, service, now);
  const auto all = in_force("", "", now);
  const auto& shown = own ? own : all;
  if (!shown) return {};
  std::string text = sentence_of(*shown);
  // Neither reason may push the other freeze out of sight.
  if (own && all) {
    const std::size_t half = kLongestSentence / 2 - 1;
    text = cut(text, half) + "; " + cut(sentence_of(*all), half);
  }
  return {cut(text, kLongestSentence), shown->by, shown->reason};
}

std::size_t Freezes::count(SysTime now) const {
  return static_cast<std::size_t>(
      std::count_if(by_service_.begin(), by_service_.end(),
                    [now](const auto& entry) { return holds(entry.second, now); }));
}

std::optional<SysTime> Freezes::next_end(SysTime now) const {
  std::optional<SysTime> next;
  for (const auto& [service, freeze] : by_service_)
    if (holds(freeze, now) && freeze.until)
      next = next ? std::min(*next, *freeze.until) : freeze.until;
  return next;
}

}  // namespace rollwatch
