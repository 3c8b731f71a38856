#include "test/scenarios/verdict_call.h"

#include <nlohmann/json.hpp>

#include "daemon/api/views.h"

namespace rollwatch {
namespace {

// What ended well, badly or neither way, in the words Spinnaker and its like compare with.
std::string status_of(bool final, bool fail, State state) {
  if (!final) return "RUNNING";
  return state == State::kPromoted ? "SUCCEEDED" : fail ? "TERMINAL" : "CANCELED";
}

}  // namespace

struct VerdictCall::Answer {
  nlohmann::json json;
};

VerdictCall::VerdictCall() = default;
VerdictCall::~VerdictCall() = default;
VerdictCall::VerdictCall(VerdictCall&&) noexcept = default;
VerdictCall& VerdictCall::operator=(VerdictCall&&) noexcept = default;

std::string VerdictCall::read(const RolloutView& view) {
  const nlohmann::json now = nlohmann::json::parse(verdict_json(view).dump());
  const std::string text = now.dump();
  const auto wrong = [&text](const std::string& what) { return what + ": " + text; };
  if (!now.at("pass").is_boolean() || !now.at("fail").is_boolean() || !now.at("final").is_boolean())
    return wrong("pass, fail and final must be true or false");
  const bool pass = now.at("pass").get<bool>();
  const bool fail = now.at("fail").get<bool>();
  const bool final = now.at("final").get<bool>();
  if (pass && fail) return wrong("pass and fail at once");
  if (!now.at("progress_message").is_string() || now.at("progress_message") == "")
    return wrong("progress_message must be a sentence");
  if (!now.at("reason").is_string() || now.at("reason") == "")
    return wrong("reason must be a sentence");
  if (now.at("status") != status_of(final, fail, view.state.state))
    return wrong("a status that is not so");
  if (!now.at("percent").is_number_integer()) return wrong("percent must be a whole number");
  const int percent = now.at("percent").get<int>();
  if (percent < 0 || percent > 100 || (percent == 100) != (view.state.state == State::kPromoted))
    return wrong("percent must be from 0 to 100, and 100 for a promotion only");
  if (!now.at("next_slot").is_string() && !now.at("next_slot").is_null())
    return wrong("next_slot must be a time or null");
  if (before_ != nullptr) {
    const nlohmann::json& old = before_->json;
    if (old.at("fail") == true && !fail) return wrong("a decided rollback is taken back");
    // A promotion that took effect is undone by a rollback only, or by what the deployer reports.
    const bool went_back = fail || view.state.state == State::kAnalyzing;
    if (old.at("state") == "soaking" && !pass && !went_back)
      return wrong("a promotion that was carried out is taken back");
    if (old.at("final") == true)
      for (const char* key : {"state", "verdict", "pass", "fail", "status", "final", "percent"})
        if (old.at(key) != now.at(key)) return wrong(std::string("the end changed its ") + key);
  }
  before_ = std::make_unique<Answer>(Answer{now});
  return "";
}

}  // namespace rollwatch
