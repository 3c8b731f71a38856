// A body that is made while it is sent, and may have no end: what an answer carries in place of its
// text. The server asks for one piece after the other and never holds more than the one it is
// sending.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/net/net.h"

namespace rollwatch {

// What is sent together. Many bodies may share a text.
using BodyPiece = std::vector<std::shared_ptr<const std::string>>;

class BodySource {
 public:
  virtual ~BodySource() = default;

  // What is to be sent next, as soon as there is something; an empty piece is the end. One call at
  // a time, and the next one when the piece has been taken. Throws nothing.
  virtual awaitable<BodyPiece> next() = 0;

  // Nobody wants more: next() resumes with the end.
  virtual void stop() = 0;

  // The source calls this, if it is set, to have the connection cut in the middle of a piece.
  std::function<void()> cut;
};

}  // namespace rollwatch
