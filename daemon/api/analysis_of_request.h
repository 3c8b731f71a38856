// The analysis a registration asks for: its policies and its own settings merged with the
// configuration.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "config/merge.h"
#include "daemon/api/fields.h"
#include "daemon/api/merged_analyses.h"
#include "daemon/engine/engine.h"

namespace rollwatch {

inline constexpr std::size_t kMostNames = 32;  // of policies, or notifiers

// Reads who goes out, and what its queries are rendered with: namespace, service, target, stable,
// candidate, policy, labels and args.
void read_subject(BodyReader& body, RolloutSpec& spec);
// The same without the versions.
void read_arguments(BodyReader& body, RolloutSpec& spec);

// What a call asks to look at without a rollout: a policy, or an analysis of its own.
const Value* read_analysis(BodyReader& body, const RolloutSpec& spec);
// The same, merged with the configuration; 403 and 422 for what cannot be. Of a body that is read.
MergedAnalysis merged_for_a_look(const std::shared_ptr<const Settings>& settings,
                                 const Caller& caller, const RolloutSpec& spec,
                                 const Value* analysis, BodyReader& body);

// 403 for a caller that may not see the namespace.
void refuse_other_namespaces(const Caller& caller, const RolloutSpec& spec);

// 422 if the plan has no condition of this name, which the request's `condition` is.
void require_condition(BodyReader& body, const Plan& plan, const std::string& name);

// Fills in document and plan of `registration` from its spec's namespace, service and policies and
// from `analysis` (null: none). What is wrong goes to the reader; returns the warnings.
std::vector<std::string> merge_into(Registration& registration,
                                    const std::shared_ptr<const Settings>& settings,
                                    MergedAnalyses& merged_before, const Value* analysis,
                                    BodyReader& body);

// A pointer into the merged analysis, such as /analysis/condition/2/query, as one into the request:
// where `analysis` (null: none) gives that value, or else /policy, which gave it.
std::string pointer_into_request(const std::string& pointer, const std::string& merged,
                                 const Value* analysis);

// 422 with what has no value, each where the request would have it.
[[noreturn]] void refuse_rendering(const std::vector<FieldProblem>& problems,
                                   const std::string& merged, const Value* analysis);

}  // namespace rollwatch
