// Puts the layers of an analysis on top of each other when a rollout is registered:
//
//   [defaults]  <  [policy.NAME]  <  [service."NAMESPACE/NAME"]  <  the request
//
// Conditions merge by name, key by key; every other value is replaced as a whole. A comparison at
// the end of a query is taken off in the layer that wrote it, so that a stronger layer's fail_if
// replaces it. What nobody gave is filled in, so that the result keeps its meaning when defaults
// change later.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/expected.h"
#include "analysis/plan.h"
#include "config/field_error.h"
#include "config/plan_decoder.h"
#include "config/settings.h"
#include "config/value.h"

namespace rollwatch {

struct MergedAnalysis {
  std::string analysis;  // canonical JSON, equal for equal analyses: to be pinned and interned
  std::string
      sources;  // JSON: pointer into analysis → "default", "policy http rollwatch.toml:40", …
  int version = kPlanVersion;
  Plan plan;                          // decode_plan(analysis)
  std::vector<std::string> warnings;  // one sentence each
};

// request_analysis is the request's `analysis`, or null. Errors that are the request's have a
// pointer; those of a policy have a file. An unknown policy is an error at /policy. Without steps
// it is good for looking at its conditions only.
Expected<MergedAnalysis, FieldErrors> merge_analysis(const Settings& settings,
                                                     const std::string& ns,
                                                     const std::string& service,
                                                     const std::vector<std::string>& policies,
                                                     const Value* request_analysis,
                                                     Steps steps = Steps::kRequired);

// What a policy comes to by itself, over [defaults]: a service and a request can still change it.
// One that is a part, to be registered together with others, may have no steps. Null: there is no
// such policy.
std::optional<MergedAnalysis> merge_policy(const Settings& settings, const std::string& policy);

// The first half of it: the merged document whose nodes know where they are from. The layers have
// passed check_layer.
struct Layers {
  const Value* defaults = nullptr;
  std::vector<std::pair<std::string, const Value*>> policies;
  const Value* service = nullptr;
  const Value* request = nullptr;
};
Value merged_document(const Layers& layers, FieldErrors& errors);

// Every datasource that is named in the table or its conditions is one of the settings'.
void check_datasources(const Value& table, const std::string& path, const Settings& settings,
                       FieldErrors& errors);

}  // namespace rollwatch
