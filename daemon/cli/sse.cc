#include "daemon/cli/sse.h"

namespace rollwatch {

bool EventStreamReader::read(std::string_view piece,
                             const std::function<bool(const StreamedMessage&)>& take) {
  rest_ += piece;
  std::size_t begin = 0;
  for (std::size_t end = rest_.find('\n'); end != std::string::npos;
       end = rest_.find('\n', begin)) {
    std::string_view text = std::string_view(rest_).substr(begin, end - begin);
    if (text.ends_with('\r')) text.remove_suffix(1);
    begin = end + 1;
    if (!line(text, take)) return false;
  }
  rest_.erase(0, begin);
  return true;
}

bool EventStreamReader::line(std::string_view text,
                             const std::function<bool(const StreamedMessage&)>& take) {
  if (text.empty()) {
    const bool whole = told_id_ || has_data_;
    told_id_ = has_data_ = false;
    const bool goes_on = !whole || take(message_);
    message_.data.clear();
    return goes_on;
  }
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "id") {
    message_.id = value;
    told_id_ = true;
  } else if (name == "data") {
    if (has_data_) message_.data += '\n';
    message_.data += value;
    has_data_ = true;
  }
  return true;
}

}  // namespace rollwatch
