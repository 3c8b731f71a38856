#include "daemon/postgres/pool.h"

#include <utility>

namespace rollwatch {

PgPool::PgPool(net::any_io_executor executor, PgTarget target, std::size_t most)
    : executor_(std::move(executor)), target_(std::move(target)), most_(most) {}

awaitable<std::shared_ptr<PgPool::Place>> PgPool::take() {
  while (!closed_ && out_ >= most_) {
    auto turn = std::make_shared<Promise<bool>>(executor_);
    waiting_.push_back(turn);
    co_await turn->get();
  }
  if (closed_) throw PgError("", "the store is closed");
  ++out_;
  while (!idle_.empty()) {
    std::shared_ptr<Place> place = std::move(idle_.back());
    idle_.pop_back();
    if (place->connection->still_stands()) co_return place;
  }
  auto place = std::make_shared<Place>();
  place->connection = std::make_unique<PgConnection>(executor_, target_);
  co_return place;
}

void PgPool::give_back(std::shared_ptr<Place> place) {
  --out_;
  if (!closed_ && !place->connection->is_broken() && !place->connection->is_busy())
    idle_.push_back(std::move(place));
  if (waiting_.empty()) return;
  const auto next = std::move(waiting_.front());
  waiting_.pop_front();
  next->set(true);
}

awaitable<std::vector<PgRows>> PgPool::ask(std::vector<PgStatement> statements, Millis limit) {
  return ask(std::move(statements), limit, false);
}

awaitable<std::vector<PgRows>> PgPool::ask(std::vector<PgStatement> statements, Millis limit,
                                           bool only_once) {
  for (;;) {
    const std::shared_ptr<Place> place = co_await take();
    const bool was_idle = place->is_used;
    std::optional<PgError> failure;
    std::vector<PgRows> rows;
    try {
      std::vector<PgStatement> copy = statements;
      rows = co_await place->connection->ask(std::move(copy), limit);
      place->is_used = true;
    } catch (const PgError& error) {
      failure = error;
    }
    give_back(place);
    if (!failure) co_return rows;
    // The server was restarted, or cut us off, since it was used last.
    const bool may_be_repeated = !only_once || !failure->may_have_happened();
    if (!failure->is_lost() || !was_idle || closed_ || !may_be_repeated) throw PgError(*failure);
  }
}

awaitable<PgRows> PgPool::ask(PgStatement statement) {
  std::vector<PgStatement> statements;
  statements.push_back(std::move(statement));
  std::vector<PgRows> rows = co_await ask(std::move(statements));
  co_return std::move(rows.at(0));
}

awaitable<PgRows> PgPool::ask_once(PgStatement statement) {
  std::vector<PgStatement> statements;
  statements.push_back(std::move(statement));
  std::vector<PgRows> rows = co_await ask(std::move(statements), Millis{0}, true);
  co_return std::move(rows.at(0));
}

void PgPool::close() {
  closed_ = true;
  idle_.clear();
  for (const auto& turn : std::exchange(waiting_, {})) turn->set(false);
}

}  // namespace rollwatch
