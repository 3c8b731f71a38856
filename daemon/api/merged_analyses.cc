#include "daemon/api/merged_analyses.h"

#include "config/merge.h"

namespace rollwatch {

namespace {

// More combinations than anybody has; who has, merges anew.
constexpr std::size_t kMost = 1'000;

}  // namespace

Expected<std::shared_ptr<const ReadyAnalysis>, FieldErrors> MergedAnalyses::of(
    const std::shared_ptr<const Settings>& settings, const std::string& ns,
    const std::string& service, const std::vector<std::string>& policies) {
  if (settings_ != settings || ready_.size() > kMost) ready_.clear();
  settings_ = settings;
  const std::string name = ns + '/' + service;
  const std::pair key(settings->services.contains(name) ? name : "", policies);
  if (const auto known = ready_.find(key); known != ready_.end()) return known->second;
  auto merged = merge_analysis(*settings, ns, service, policies, nullptr);
  if (!merged) return Unexpected(merged.error());
  auto ready = std::make_shared<ReadyAnalysis>();
  ready->document = {merged->version, std::move(merged->analysis), std::move(merged->sources)};
  ready->plan = std::make_shared<const Plan>(std::move(merged->plan));
  ready->warnings = std::move(merged->warnings);
  ready_.emplace(key, ready);
  return std::shared_ptr<const ReadyAnalysis>(ready);
}

}  // namespace rollwatch
