#include "analysis/spec.h"

namespace rollwatch {

std::string id_body(const std::string& id) {
  const std::size_t underscore = id.find('_');
  return underscore == std::string::npos ? id : id.substr(underscore + 1);
}

std::string order_id(const RolloutSpec& spec, unsigned number) {
  return "ord_" + id_body(spec.id) + "-" + std::to_string(number);
}

std::string decision_id(const RolloutSpec& spec, unsigned number) {
  return "de_" + id_body(spec.id) + "-" + std::to_string(number);
}

}  // namespace rollwatch
