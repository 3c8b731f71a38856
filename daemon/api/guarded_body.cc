#include "daemon/api/guarded_body.h"

#include <utility>

namespace rollwatch {
namespace {

class GuardedBody : public BodySource {
 public:
  GuardedBody(std::shared_ptr<BodySource> body, std::function<bool()> may_go_on)
      : body_(std::move(body)), may_go_on_(std::move(may_go_on)) {
    body_->cut = [this] {
      if (cut) cut();
    };
  }
  ~GuardedBody() override { body_->cut = nullptr; }
  GuardedBody(const GuardedBody&) = delete;
  GuardedBody& operator=(const GuardedBody&) = delete;

  awaitable<BodyPiece> next() override {
    BodyPiece piece = co_await body_->next();
    if (piece.empty() || may_go_on_()) co_return piece;
    body_->stop();
    co_return BodyPiece{};
  }

  void stop() override { body_->stop(); }

 private:
  const std::shared_ptr<BodySource> body_;
  const std::function<bool()> may_go_on_;
};

}  // namespace

std::shared_ptr<BodySource> guarded(std::shared_ptr<BodySource> body,
                                    std::function<bool()> may_go_on) {
  return std::make_shared<GuardedBody>(std::move(body), std::move(may_go_on));
}

}  // namespace rollwatch
