#include "test/model/model.h"

namespace rollwatch::model {

Model::Model(const RolloutSpec& spec, const Plan& plan, std::vector<Millis> phases, SysTime now,
             bool frozen)
    : spec_(spec),
      plan_(plan),
      phases_(std::move(phases)),
      now_(now),
      deadline_at_(now + plan.deadline) {
  if (frozen) freeze_ = now;
  if (plan.approve_start && !spec.observe) {
    question_ = OpenQuestion{QuestionKind::kApproveStart, ++questions_, now, now, "", ""};
  } else {
    wait_for_ready();
  }
}

Seen Model::take(const Input& input, SysTime now) {
  now_ = now;
  out_ = Seen{};
  std::visit([this](const auto& happened) { on(happened); }, input);
  return seen();
}

}  // namespace rollwatch::model
