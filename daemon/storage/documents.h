// The parts of a row that are kept as JSON text: read by people and by SQL, never searched. Every
// field survives the way there and back; only bytes that are not UTF-8 become U+FFFD, because a row
// that cannot be written for the sake of a server's odd error text would lose more.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "daemon/engine/records.h"

namespace rollwatch {

// What was read back is not what was written; the message names the document.
class DocumentError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string spec_document(const RolloutSpec& spec);
RolloutSpec read_spec_document(std::string_view json);

std::string event_document(const Event& event);
Event read_event_document(std::string_view json);

// "order", "notification"
std::string_view name_of(DeliveryClass cls);
DeliveryClass read_delivery_class(std::string_view name);
DeliveryState read_delivery_state(std::string_view name);

}  // namespace rollwatch
