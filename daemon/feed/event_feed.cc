#include "daemon/feed/event_feed.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "daemon/feed/feed_core.h"

namespace rollwatch {
namespace {

constexpr Millis kReadAgain{1'000};  // when the store is away

}  // namespace

std::size_t FeedLine::bytes() const {
  return sizeof(FeedLine) + text->size() + rollout.size() + ns.size() + service.size();
}

bool fits(const FeedFilter& filter, const FeedLine& line) {
  const auto one_of = [](const auto& list, const auto& value) {
    return list.empty() || std::ranges::find(list, value) != list.end();
  };
  return (filter.rollout.empty() || filter.rollout == line.rollout) &&
         (filter.service.empty() || filter.service == line.service) &&
         (filter.ns.empty() || filter.ns == line.ns) && one_of(filter.types, line.type) &&
         one_of(filter.visible, line.ns);
}

FeedCore::FeedCore(net::any_io_executor executor, Clock& clock, Store& store,
                   EventFeed::Write write, FeedHooks hooks, FeedLimits limits)
    : executor_(std::move(executor)),
      clock_(clock),
      store_(store),
      write_(std::move(write)),
      hooks_(std::move(hooks)),
      limits_(limits) {}

void FeedCore::begin() {
  spawn(executor_, "event feed", [self = shared_from_this()] { return self->run(); });
  spawn(executor_, "event feed tick", [self = shared_from_this()] { return self->tick(); });
}

// ---- Clients

awaitable<FeedOpened> FeedCore::open(FeedFilter filter, std::optional<std::int64_t> after,
                                     std::string who) {
  FeedRefusal refusal;
  if (stopped_ || clients_.size() >= limits_.clients) co_return Unexpected(refusal);
  const auto client =
      std::make_shared<FeedClient>(shared_from_this(), std::move(filter), std::move(who));
  wake();
  if (is_reading() && (!after || (joins_on(*after) && *after <= *position_))) {
    client->begin_at(after.value_or(*position_));
    co_return client;
  }
  const std::size_t limit = after ? limits_.client_page : 0;
  const EventStretch stretch = co_await store_.event_stretch(after.value_or(0), limit);
  refusal = {FeedRefusal::Why::kDeleted, stretch.deleted, stretch.newest};
  if (after && *after < stretch.deleted) co_return Unexpected(refusal);
  refusal.why = FeedRefusal::Why::kUnknown;
  if (after && *after > stretch.newest) co_return Unexpected(refusal);
  if (after) {
    client->begin_with(stretch, *after);
  } else {
    client->begin_at(stretch.newest);
  }
  co_return client;
}

void FeedCore::leave(FeedClient* client) {
  clients_.erase(client);
  if (stopped_ || !clients_.empty() || !sleep_) return;
  is_woken_ = true;  // to forget what nobody needs
  sleep_->set(true);
}

void FeedCore::wake() {
  if (clients_.empty()) return;
  is_woken_ = true;
  if (sleep_) sleep_->set(true);
}

void FeedCore::stop() {
  stopped_ = is_woken_ = true;
  if (sleep_) sleep_->set(true);
  for (FeedClient* client : clients_) client->stop();
}

awaitable<EventStretch> FeedCore::page_after(std::int64_t after) {
  return store_.event_stretch(after, limits_.client_page);
}

FeedLine FeedCore::line_of(const StreamedEvent& event) const {
  const StoredEvent& stored = event.stored;
  FeedLine line{stored.seq, stored.event.type, stored.rollout, event.ns, event.service, nullptr};
  line.text = std::make_shared<const std::string>(fmt::format(
      "id: {}\nevent: {}\ndata: {}\n\n", stored.seq, name_of(stored.event.type), write_(event)));
  return line;
}

std::deque<FeedLine>::const_iterator FeedCore::lines_after(std::int64_t after) const {
  return std::ranges::upper_bound(lines_, after, {}, &FeedLine::seq);
}

// ---- The reader

awaitable<void> FeedCore::run() {
  while (!stopped_) {
    if (clients_.empty()) forget_all();
    if (!is_woken_) {
      const auto sleep = sleep_ = std::make_shared<Promise<bool>>(executor_);
      co_await sleep->get();
      sleep_.reset();
      continue;
    }
    is_woken_ = false;
    if (clients_.empty()) continue;
    std::string trouble;
    try {
      co_await read_all();
    } catch (const StoreError& error) {
      trouble = error.what();
    }
    if (!trouble.empty() && !failing_ && !stopped_)
      spdlog::warn("the event stream stands still, tried again every second: {}", trouble);
    if (trouble.empty() && failing_) spdlog::info("the event stream goes on");
    failing_ = !trouble.empty();
    if (failing_) {
      co_await clock_.sleep(kReadAgain);
      is_woken_ = true;
    } else if (pause() > Millis{0}) {
      co_await clock_.sleep(pause());
    }
  }
}

awaitable<void> FeedCore::tick() {
  for (Millis quiet{0}; !stopped_;) {
    co_await clock_.sleep(limits_.look_again);
    wake();
    quiet += limits_.look_again;
    if (quiet < limits_.heartbeat) continue;
    quiet = Millis{0};
    beat();
  }
}

void FeedCore::beat() {
  for (FeedClient* client : clients_) client->beat();
}

Millis FeedCore::pause() const {
  return std::chrono::duration_cast<Millis>(limits_.gather * static_cast<int>(clients_.size()));
}

awaitable<void> FeedCore::read_all() {
  if (!position_) co_await take_position();
  for (bool more = true; more && !stopped_;) {
    co_await let_clients_take();
    const EventStretch stretch = co_await store_.event_stretch(*position_, limits_.page);
    if (stretch.newest < *position_) {
      // Put back from a copy, or failed over to a server that knew less: numbers that were told
      // will be given again, to other events.
      const std::string words = fmt::format("the store has gone back from event {} to event {}",
                                            *position_, stretch.newest);
      for (FeedClient* client : clients_) client->end_as("gap", words);
      forget_all();
      co_return;
    }
    more = stretch.up_to < stretch.newest;
    take(stretch);
  }
}

// Who was told and has not had its turn yet is not slow: only what is being sent takes its time.
awaitable<void> FeedCore::let_clients_take() {
  const auto has_turn = [](const FeedClient* client) { return client->is_about_to_take(); };
  while (std::ranges::any_of(clients_, has_turn)) co_await net::post(executor_, net::use_awaitable);
}

// A little before the end: those who come back after a restart, all at once, find it in memory.
awaitable<void> FeedCore::take_position() {
  const EventStretch reach = co_await store_.event_stretch(0, 0);
  const auto page = static_cast<std::int64_t>(limits_.page);
  begin_ = std::max({reach.newest - page, reach.deleted, std::int64_t{0}});
  position_ = begin_;
}

void FeedCore::take(const EventStretch& stretch) {
  for (const StreamedEvent& event : stretch.items) {
    lines_.push_back(line_of(event));
    bytes_ += lines_.back().bytes();
  }
  // Deleted before it was read here: who needs it cannot go on.
  const bool gap = stretch.deleted > *position_;
  if (gap) drop_lines(stretch.deleted);
  position_ = stretch.up_to;
  while (bytes_ > limits_.buffer_bytes && !lines_.empty()) drop_lines(lines_.front().seq);
  for (FeedClient* client : clients_) {
    if (!client->is_behind())
      client->wake();
    else if (gap)
      client->end_as("gap", "events were deleted before they could be given");
    else
      client->end_as("slow", fmt::format("it is more than {} KiB of events behind",
                                         limits_.buffer_bytes / 1024));
  }
}

void FeedCore::drop_lines(std::int64_t up_to) {
  while (!lines_.empty() && lines_.front().seq <= up_to) {
    bytes_ -= lines_.front().bytes();
    lines_.pop_front();
  }
  begin_ = std::max(begin_, up_to);
}

void FeedCore::forget_all() {
  position_.reset();
  lines_.clear();
  bytes_ = 0;
}

// ---- From outside

EventFeed::EventFeed(net::any_io_executor executor, Clock& clock, Store& store, Write write,
                     FeedHooks hooks, FeedLimits limits)
    : core_(std::make_shared<FeedCore>(std::move(executor), clock, store, std::move(write),
                                       std::move(hooks), limits)) {
  core_->begin();
}
EventFeed::~EventFeed() { core_->stop(); }
awaitable<FeedOpened> EventFeed::open(FeedFilter filter, std::optional<std::int64_t> after,
                                      std::string who) {
  return core_->open(std::move(filter), after, std::move(who));
}
void EventFeed::wake() { core_->wake(); }
void EventFeed::stop() { core_->stop(); }
std::size_t EventFeed::clients() const { return core_->clients_.size(); }
void EventFeed::limit_clients(std::size_t most) { core_->limits_.clients = most; }

}  // namespace rollwatch
