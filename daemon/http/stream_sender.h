// Sends a body that is made while it is sent over one connection, after the head, until the body
// ends or the client is gone. Both are waited for at once: a client that hangs up is noticed
// although nothing is written, and what it still sends is read and dropped.
#pragma once

#include <memory>

#include "daemon/http/body_source.h"
#include "daemon/http/server_stream.h"
#include "daemon/net/net.h"

namespace rollwatch {

class StreamSender : public std::enable_shared_from_this<StreamSender> {
 public:
  // `in_chunks`: as HTTP/1.1 has it; else the end of the connection is that of the body. The stream
  // must outlive run().
  StreamSender(ServerStream& stream, std::shared_ptr<BodySource> source, bool in_chunks);

  // Resumes when it is over; the socket is closed by then.
  awaitable<void> run();

  // Ends it in good order, or at once if the client is in no hurry to take what is being sent.
  void end();

 private:
  awaitable<void> send_all();
  awaitable<bool> write(BodyPiece piece);
  awaitable<void> watch();
  void close();

  ServerStream& stream_;
  const std::shared_ptr<BodySource> source_;
  const bool in_chunks_;
  bool writing_ = false;
  Promise<bool> watched_;  // watch() is over
};

}  // namespace rollwatch
