#include "daemon/api/analysis_of_request.h"

#include "config/merge.h"

namespace rollwatch {

std::vector<std::string> merge_into(Registration& registration, const Settings& settings,
                                    const Value* analysis, BodyReader& body) {
  const RolloutSpec& spec = registration.spec;
  auto merged = merge_analysis(settings, spec.ns, spec.service, spec.policy, analysis);
  if (!merged) {
    body.add(merged.error());
    return {};
  }
  registration.document.version = merged->version;
  registration.document.analysis = std::move(merged->analysis);
  registration.document.sources = std::move(merged->sources);
  registration.plan = std::make_shared<const Plan>(std::move(merged->plan));
  return std::move(merged->warnings);
}

}  // namespace rollwatch
