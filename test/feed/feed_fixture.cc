#include "test/feed/feed_fixture.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "test/storage/samples.h"
#include "test/support/run.h"

namespace rollwatch {

void LogStore::add(const std::string& rollout, EventType type, const std::string& service) {
  StreamedEvent event;
  event.stored.seq = ++newest;
  event.stored.rollout = rollout;
  event.stored.event = full_event();
  event.stored.event.type = type;
  event.ns = "payments";
  event.service = service;
  log.push_back(std::move(event));
}

void LogStore::forget_all_of(const std::string& rollout) {
  for (const StreamedEvent& event : log)
    if (event.stored.rollout == rollout) deleted = std::max(deleted, event.stored.seq);
  std::erase_if(log, [&](const StreamedEvent& e) { return e.stored.rollout == rollout; });
}

awaitable<EventStretch> LogStore::event_stretch(std::int64_t after, std::size_t limit) {
  ++reads;
  if (is_away) throw StoreError("the disk is gone");
  EventStretch stretch;
  stretch.newest = newest;
  stretch.deleted = deleted;
  stretch.up_to = after;
  for (const StreamedEvent& event : log)
    if (event.stored.seq > after && stretch.items.size() < limit) stretch.items.push_back(event);
  if (limit > 0)
    stretch.up_to =
        stretch.items.size() < limit ? std::max(after, newest) : stretch.items.back().stored.seq;
  if (const auto meanwhile = std::exchange(while_reading, {})) meanwhile();
  co_return stretch;
}

// ---- A client

struct Reader::State {
  std::shared_ptr<BodySource> body;
  std::string text;
  bool ended = false, cut = false, reading = true;
  std::shared_ptr<Promise<bool>> paused;
};

Reader::Reader(net::io_context& io, std::shared_ptr<BodySource> body, bool reading)
    : state_(std::make_shared<State>()) {
  state_->body = std::move(body);
  state_->reading = reading;
  if (!state_->body) return;
  state_->body->cut = [state = state_.get()] { state->cut = true; };
  spawn(io.get_executor(), "reader", [state = state_, &io]() -> awaitable<void> {
    while (const auto body = state->body) {
      const BodyPiece piece = co_await body->next();
      if (piece.empty()) break;
      for (const auto& text : piece) state->text += *text;
      while (!state->reading && !state->cut) {
        const auto paused = state->paused = std::make_shared<Promise<bool>>(io.get_executor());
        co_await paused->get();
      }
    }
    state->ended = true;
    if (state->body) state->body->cut = nullptr;
    state->body.reset();
  });
}

void Reader::stop_reading() { state_->reading = false; }

void Reader::go_on_reading() {
  state_->reading = true;
  if (state_->paused) state_->paused->set(true);
}

void Reader::hang_up() {
  if (state_->body) state_->body->stop();
  go_on_reading();
}

std::vector<std::int64_t> Reader::seqs() const {
  std::vector<std::int64_t> seqs;
  const std::string& all = state_->text;
  for (std::size_t at = all.find("id: "); at != std::string::npos; at = all.find("id: ", at + 1)) {
    const std::size_t line = all.find('\n', at);
    if (all.compare(line + 1, 7, "event: ") == 0) seqs.push_back(std::stoll(all.substr(at + 4)));
  }
  return seqs;
}

std::string Reader::text() const { return state_->text; }
bool Reader::ended() const { return state_->ended; }
bool Reader::was_cut() const { return state_->cut; }

// ---- The feed

FeedTest::FeedTest() { start(); }

FeedTest::~FeedTest() {
  for (const auto& reader : readers) reader->go_on_reading();
  feed.reset();
  settle();
}

void FeedTest::start(FeedLimits limits) {
  feed = std::make_unique<EventFeed>(
      io.get_executor(), clock, store,
      [](const StreamedEvent& event) { return "{\"rollout\":\"" + event.stored.rollout + "\"}"; },
      FeedHooks{[this](std::string_view reason) { cuts.emplace_back(reason); }}, limits);
  settle();
}

void FeedTest::event(const std::string& rollout, EventType type) {
  store.add(rollout, type);
  feed->wake();
  settle();
}

void FeedTest::events(int count, const std::string& rollout) {
  for (int i = 0; i < count; ++i) store.add(rollout);
  feed->wake();
  settle();
}

FeedOpened FeedTest::open(std::optional<std::int64_t> after, FeedFilter filter) {
  using Result = std::optional<FeedOpened>;
  const auto result = run<Result>(io, [&]() -> awaitable<Result> {
    std::string who = "127.0.0.1";
    co_return co_await feed->open(filter, after, std::move(who));
  });
  return result.value();
}

Reader& FeedTest::read(std::optional<std::int64_t> after, FeedFilter filter, bool reading) {
  const FeedOpened opened = open(after, std::move(filter));
  EXPECT_TRUE(opened.has_value());
  readers.push_back(std::make_unique<Reader>(io, opened ? opened.value() : nullptr, reading));
  settle();
  return *readers.back();
}

Reader& FeedTest::follow(std::optional<std::int64_t> after, FeedFilter filter) {
  return read(after, std::move(filter), true);
}

Reader& FeedTest::follow_without_reading(std::int64_t after) { return read(after, {}, false); }

std::string FeedTest::refusal(std::optional<std::int64_t> after) {
  const FeedOpened opened = open(after, {});
  if (opened) return "";
  const FeedRefusal& why = opened.error();
  if (why.why == FeedRefusal::Why::kFull) return "full";
  return std::string(why.why == FeedRefusal::Why::kDeleted ? "deleted " : "unknown ") +
         std::to_string(why.deleted) + " of " + std::to_string(why.newest);
}

std::vector<std::int64_t> from_to(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = first; i <= last; ++i) all.push_back(i);
  return all;
}

}  // namespace rollwatch
