// Registers an analysis with a configuration, and looks at the merged document and its sources.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "config/merge.h"
#include "test/config/config_support.h"

namespace rollwatch {

class Merge : public testing::Test {
 protected:
  // The text begins at line 3 of rollwatch.toml.
  void configure(const std::string& text);

  // request: the `analysis` of a registration, "" for none.
  Expected<MergedAnalysis, FieldErrors> merge(const std::vector<std::string>& policies,
                                              const std::string& request = "",
                                              const std::string& service = "checkout");

  // The same, which must be good, to be looked at with the functions below.
  void expect_merged(const std::vector<std::string>& policies, const std::string& request = "");
  nlohmann::json analysis() const;
  nlohmann::json sources() const;

  // Every error on a line of its own, or "".
  std::string errors(const std::vector<std::string>& policies, const std::string& request = "");

  Settings settings_;
  MergedAnalysis merged_{.analysis = "{}", .sources = "{}", .plan = {}, .warnings = {}};
};

}  // namespace rollwatch
