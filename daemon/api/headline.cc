// The sentence that says it all: the first line of the page.
#include <algorithm>
#include <cctype>

#include "analysis/advance.h"
#include "analysis/text.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

struct Said {
  std::string_view words;  // after "checkout 1.24"
  std::string_view stem;   // with which the reason may begin; it is not said twice
};

Said said_of(const RolloutState& state) {
  switch (state.state) {
    case State::kWaiting:
      return {"waits", "waits"};
    case State::kAnalyzing:
      return {"is rolling out", "watching"};
    case State::kPaused:
      return {"is paused", "paused"};
    case State::kPromoting:
      return {"is being promoted", "promoting"};
    case State::kSoaking:
    case State::kPromoted:
      return {"was promoted", "promoted"};
    case State::kRollingBack:
      return {"is being rolled back", "rolling back"};
    case State::kRolledBack:
      return {"was rolled back", "rolled back"};
    case State::kRollbackFailed:
      return {"could not be rolled back", "rollback failed"};
    case State::kCancelled:
      return {"was cancelled", "cancelled"};
    case State::kSuperseded:
      break;
  }
  return {"was superseded", "superseded"};
}

bool begins_with_words(std::string_view text, std::string_view words) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return text.size() >= words.size() &&
         std::equal(words.begin(), words.end(), text.begin(), same) &&
         (text.size() == words.size() ||
          std::isalnum(static_cast<unsigned char>(text[words.size()])) == 0);
}

// "(25 %, step 2 of 3)", while it goes from step to step.
std::string place_of(const RolloutView& view) {
  if (view.state.state != State::kAnalyzing || view.state.step < 0) return "";
  std::string place;
  if (const auto weight = step_weight(*view.plan, view.state)) place = percent(*weight);
  if (view.plan->steps.size() > 1)
    place += (place.empty() ? "step " : ", step ") + std::to_string(view.state.step + 1) + " of " +
             std::to_string(view.plan->steps.size());
  return place.empty() ? "" : " (" + place + ")";
}

// What stands in its way although nothing was decided: ": error-rate 0.083 > 0.05".
std::string trouble_of(const RolloutView& view) {
  const auto worst = worst_condition(view);
  if (!worst) return "";
  const ConditionState& condition = view.state.conditions[*worst];
  const Verdict verdict = verdict_of({view.spec, *view.plan}, view.state, *worst);
  const bool fails = verdict == Verdict::kFailing || verdict == Verdict::kFailed;
  if (!condition.last || !(fails || verdict == Verdict::kUnknown)) return "";
  return ": " + view.plan->conditions[*worst].name + (fails ? " " : ": ") +
         describe(*condition.last);
}

}  // namespace

std::string headline(const RolloutView& view) {
  const RolloutSpec& spec = view.spec;
  const Said said = said_of(view.state);
  std::string sentence = spec.service + " " + spec.candidate;
  if (spec.target != "default") sentence += " in " + spec.target;
  sentence += " " + std::string(said.words) + place_of(view);

  const auto& question = view.state.question;
  const bool asks = question && view.state.state == State::kPaused;
  const std::string why = asks ? question->text : reason_of(view.state);
  std::string_view reason = why;
  if (begins_with_words(reason, said.stem)) {
    // "watching at 25 %" is what the place says already.
    if (view.state.state == State::kAnalyzing) return sentence + trouble_of(view);
    return sentence + std::string(reason.substr(said.stem.size()));
  }
  return reason.empty() ? sentence : sentence + ": " + why;
}

}  // namespace rollwatch
