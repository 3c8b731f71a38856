// Server-sent events, as they come over the wire in pieces of any size.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace rollwatch {

struct StreamedMessage {
  std::string id;    // of the last message that had one
  std::string data;  // empty: only its id was told
};

class EventStreamReader {
 public:
  // Calls `take` for each message that is now whole; false from it ends the reading, and is passed
  // on.
  bool read(std::string_view piece, const std::function<bool(const StreamedMessage&)>& take);

 private:
  bool line(std::string_view text, const std::function<bool(const StreamedMessage&)>& take);

  std::string rest_;  // of a line that is not whole
  StreamedMessage message_;
  bool told_id_ = false;
  bool has_data_ = false;
};

}  // namespace rollwatch
