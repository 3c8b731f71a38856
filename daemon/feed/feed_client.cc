// One client of the event feed.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "daemon/feed/feed_core.h"

namespace rollwatch {
namespace {

// How long a client waits before it connects again.
constexpr Millis kRetry{2'000};

}  // namespace

FeedClient::FeedClient(std::shared_ptr<FeedCore> feed, FeedFilter filter, std::string who)
    : feed_(std::move(feed)), filter_(std::move(filter)), who_(std::move(who)) {
  feed_->clients_.insert(this);
}

FeedClient::~FeedClient() { feed_->leave(this); }

void FeedClient::begin_at(std::int64_t after) { position_ = after; }

void FeedClient::begin_with(const EventStretch& stretch, std::int64_t after) {
  position_ = after;
  set_page(stretch);
}

void FeedClient::set_page(const EventStretch& stretch) {
  for (const StreamedEvent& event : stretch.items) page_.push_back(feed_->line_of(event));
  page_up_to_ = stretch.up_to;
}

awaitable<BodyPiece> FeedClient::next() {
  given_at_.reset();
  while (!ended_) {
    if (!live_ && page_up_to_ < 0) {
      live_ = feed_->joins_on(position_);
      if (!live_ && feed_->is_reading()) co_await read_page();
      if (ended_) break;
    }
    const bool has_page = page_up_to_ >= 0;
    BodyPiece piece = take();
    if (!piece.empty()) {
      given_at_ = feed_->clock_.steady();
      co_return piece;
    }
    if (has_page) continue;  // nothing of it fits: there may be another
    if (is_about_to_take()) {
      // Nor did anything of this piece. Another follows, when the others have had their turn.
      co_await net::post(feed_->executor_, net::use_awaitable);
      continue;
    }
    const auto waiter = waiter_ = std::make_shared<Promise<bool>>(feed_->executor_);
    co_await waiter->get();
    waiter_.reset();
  }
  co_return BodyPiece();
}

awaitable<void> FeedClient::read_page() {
  std::string trouble;
  try {
    const EventStretch stretch = co_await feed_->page_after(position_);
    if (position_ < stretch.deleted) {
      end_as("gap", "events were deleted before they could be given");
    } else {
      set_page(stretch);
    }
  } catch (const StoreError& error) {
    trouble = error.what();
  }
  if (trouble.empty()) co_return;
  // It goes on where it was when it comes back.
  spdlog::debug("the event stream of {} ends: {}", who_, trouble);
  stop();
}

BodyPiece FeedClient::take() {
  BodyPiece piece;
  if (told_ < 0) add_greeting(piece);
  if (std::exchange(beat_due_, false)) add_heartbeat(piece);
  const auto give = [&](const FeedLine& line) {
    if (!fits(filter_, line)) return;
    piece.push_back(line.text);
    told_ = line.seq;
  };
  if (page_up_to_ >= 0) {
    for (const FeedLine& line : page_) give(line);
    position_ = std::max(position_, page_up_to_);
    page_.clear();
    page_up_to_ = -1;
  } else if (live_) {
    std::size_t bytes = 0;
    auto line = feed_->lines_after(position_);
    for (; line != feed_->lines_.end() && bytes < feed_->limits_.piece_bytes; ++line) {
      give(*line);
      position_ = line->seq;
      bytes += line->text->size();
    }
    // Numbers of events that are gone are passed over, too.
    if (line == feed_->lines_.end()) position_ = std::max(position_, *feed_->position_);
  }
  return piece;
}

// The number where it begins: who is cut before the first event resumes from there.
void FeedClient::add_greeting(BodyPiece& piece) {
  piece.push_back(std::make_shared<const std::string>(
      fmt::format("retry: {}\nid: {}\n\n", kRetry.count(), position_)));
  told_ = position_;
}

// A comment. To whom nothing was given for a while because of a filter, it says how far the log
// was looked through: coming back, nobody has to do that again.
void FeedClient::add_heartbeat(BodyPiece& piece) {
  static const auto comment = std::make_shared<const std::string>(":\n\n");
  if (position_ <= told_) {
    piece.push_back(comment);
    return;
  }
  piece.push_back(std::make_shared<const std::string>(fmt::format(":\nid: {}\n\n", position_)));
  told_ = position_;
}

void FeedClient::wake() {
  if (waiter_) waiter_->set(true);
}

void FeedClient::stop() {
  ended_ = true;
  wake();
}

void FeedClient::beat() {
  if (given_at_ && feed_->clock_.steady() - *given_at_ >= feed_->limits_.stuck)
    return end_as("slow", "it does not take what it is sent");
  beat_due_ = true;
  wake();
}

bool FeedClient::is_about_to_take() const {
  return live_ && !ended_ && !given_at_ && position_ < feed_->position_.value_or(0);
}

bool FeedClient::is_behind() const { return live_ && position_ < feed_->begin_; }

void FeedClient::end_as(std::string_view reason, std::string_view words) {
  if (ended_) return;
  spdlog::info("the event stream of {} is cut: {}", who_, words);
  if (feed_->hooks_.cut) feed_->hooks_.cut(reason);
  stop();
  if (cut) cut();
}

}  // namespace rollwatch
