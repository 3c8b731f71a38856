// The analyses that policies and services come to without anything of a request's own, merged once
// for as long as the configuration stays the same: registrations come by the thousand, and nearly
// all of them name a policy and nothing else.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/expected.h"
#include "config/field_error.h"
#include "config/settings.h"
#include "daemon/engine/records.h"

namespace rollwatch {

struct ReadyAnalysis {
  PlanDocument document;
  std::shared_ptr<const Plan> plan;
  std::vector<std::string> warnings;
};

class MergedAnalyses {
 public:
  Expected<std::shared_ptr<const ReadyAnalysis>, FieldErrors> of(
      const std::shared_ptr<const Settings>& settings, const std::string& ns,
      const std::string& service, const std::vector<std::string>& policies);

 private:
  std::shared_ptr<const Settings> settings_;  // that the ones below are from
  // By what they are made from: the service's own entry, if it has one, and the policies.
  std::map<std::pair<std::string, std::vector<std::string>>, std::shared_ptr<const ReadyAnalysis>>
      ready_;
};

}  // namespace rollwatch
