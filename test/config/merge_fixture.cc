#include "test/config/merge_fixture.h"

#include <nlohmann/json.hpp>

namespace rollwatch {

void Merge::configure(const std::string& text) {
  const auto settings = ConfigInMemory(std::string(kDatasource) + text).load();
  ASSERT_TRUE(settings) << ConfigInMemory::text_of(settings.error());
  settings_ = *settings;
}

Expected<MergedAnalysis, FieldErrors> Merge::merge(const std::vector<std::string>& policies,
                                                   const std::string& request,
                                                   const std::string& service) {
  if (request.empty()) return merge_analysis(settings_, "default", service, policies, nullptr);
  const auto value = value_from_json(request, "request", "/analysis");
  EXPECT_TRUE(value) << request;
  return merge_analysis(settings_, "default", service, policies, &*value);
}

void Merge::expect_merged(const std::vector<std::string>& policies, const std::string& request) {
  auto merged = merge(policies, request);
  ASSERT_TRUE(merged) << ConfigInMemory::text_of(merged.error());
  merged_ = std::move(*merged);
}

nlohmann::json Merge::analysis() const { return nlohmann::json::parse(merged_.analysis); }
nlohmann::json Merge::sources() const { return nlohmann::json::parse(merged_.sources); }

std::string Merge::errors(const std::vector<std::string>& policies, const std::string& request) {
  const auto merged = merge(policies, request);
  return merged ? "" : ConfigInMemory::text_of(merged.error());
}

}  // namespace rollwatch
