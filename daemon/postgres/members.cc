#include "daemon/postgres/members.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "daemon/engine/store.h"
#include "daemon/postgres/members_sql.h"
#include "daemon/postgres/schema.h"

namespace rollwatch {
namespace {

constexpr int kRenewalsPerLease = 4;
// Our own clock counts from before we asked; what is left of a lease by then may be spent on its
// way.
constexpr Millis kMargin{500};
// A lease ends so much (the twentieth part) before the time that people were promised: it takes the
// others a moment to load what they take over, and to ask for it.
constexpr int kForTheTakeOver = 20;
// After its end, that the database sees it too.
constexpr Millis kPastTheEnd{5};

constexpr const char* kTakenOff =
    "the others took this node off their list: it had not been heard of for the length of a lease";

}  // namespace

PgMembers::PgMembers(const net::any_io_executor& executor, Clock& clock, PgTarget target,
                     PgWriter& writer, PgMemberSettings settings, PgMemberHooks hooks)
    : executor_(executor),
      clock_(clock),
      target_(std::move(target)),
      writer_(writer),
      settings_(std::move(settings)),
      hooks_(std::move(hooks)),
      lease_end_(executor) {
  // A member that gets no answer must notice within its lease.
  target_.answer_limit = std::min(target_.answer_limit, settings_.lease / 2);
  target_.connect_limit = std::min(target_.connect_limit, settings_.lease / 2);
  settings_.lease -= settings_.lease / kForTheTakeOver;
}

PgMembers::~PgMembers() { close(); }

// What changes who has what goes one after the other. The turn lasts as long as what is returned.
// Throws StoreError if this is gone by then.
awaitable<std::shared_ptr<void>> PgMembers::turn() {
  const std::weak_ptr<bool> alive = alive_;
  while (busy_) {
    auto next = std::make_shared<Promise<bool>>(executor_);
    waiting_.push_back(next);
    co_await next->get();
    if (alive.expired()) throw StoreError(node_sql::kClosed);
  }
  busy_ = true;
  co_return std::shared_ptr<void>(nullptr, [this, alive = std::weak_ptr(alive_)](std::nullptr_t) {
    if (alive.expired()) return;
    busy_ = false;
    if (waiting_.empty()) return;
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    next->set(true);
  });
}

// Throws PgError; StoreError if this is gone by the time that the answer is here.
awaitable<std::vector<PgRows>> PgMembers::ask(std::vector<PgStatement> statements) {
  const std::weak_ptr<bool> alive = alive_;
  if (!connection_ || connection_->is_broken()) {
    connection_ = std::make_unique<PgConnection>(executor_, target_);
    connection_->on_notification([this](const std::string& payload) { hear(payload); });
    co_await connection_->ask(node_sql::list_of(pg(node_sql::kListen)));
    if (alive.expired()) throw StoreError(node_sql::kClosed);
    if (hooks_.listens) hooks_.listens();
  }
  std::vector<PgRows> rows = co_await connection_->ask(std::move(statements));
  if (alive.expired()) throw StoreError(node_sql::kClosed);
  co_return rows;
}

awaitable<void> PgMembers::join() {
  const std::shared_ptr<void> mine = co_await turn();
  try {
    co_await become_member();
  } catch (const PgError& error) {
    throw StoreError(std::string("the PostgreSQL store could not be joined: ") + error.what());
  }
  spawn(executor_, "lease", [this] { return keep_lease(); });
}

// A newer program may have changed the tables so that this one must not work with them: it steps
// aside, in good order, and waits to be replaced.
awaitable<bool> PgMembers::may_work() {
  const auto rows = co_await ask(node_sql::list_of(pg(node_sql::kSchema)));
  const PgSchemaVersion found{static_cast<int>(rows.at(0).integer(0, 0)),
                              static_cast<int>(rows[0].integer(0, 1))};
  std::string why;
  try {
    check_pg_schema(found, pg_migrations());
  } catch (const PgSchemaError& error) {
    why = std::string("the PostgreSQL store ") + error.what();
  }
  if (why.empty()) co_return true;
  if (number_ != 0) co_await resign(why);
  co_return false;
}

awaitable<void> PgMembers::resign(std::string why) {
  std::vector<Place> places;
  for (const auto& [place, epoch] : held_) places.push_back(place);
  if (!places.empty()) co_await give_back(std::move(places));
  co_await ask(
      node_sql::list_of(pg(node_sql::kLeave, number_), pg(node_sql::kTell, std::string("places"))));
  lose_all(why);
  lost_.clear();
}

awaitable<void> PgMembers::become_member() {
  const SteadyTime asked = clock_.steady();
  PgStatement insert = pg(node_sql::kJoin, settings_.name, settings_.program, settings_.lease);
  // The others make room at once: work is theirs to give, and so is a part of every limit.
  const auto rows = co_await ask(node_sql::list_of(
      std::move(insert), pg(node_sql::kTell, std::string("places")), pg(node_sql::kHowMany)));
  number_ = rows.at(0).integer(0, 0);
  see_nodes(static_cast<std::size_t>(rows.at(2).integer(0, 0)));
  renewed(asked);
  writer_.become(number_);
  if (hooks_.standing) hooks_.standing(std::nullopt);
}

bool PgMembers::is_sure() const { return number_ != 0 && clock_.steady() < sure_until_; }

std::optional<Epoch> PgMembers::held(const Place& place) const {
  const auto found = held_.find(place);
  return found == held_.end() ? std::nullopt : std::optional(found->second);
}

// ---- Keeping the lease

awaitable<void> PgMembers::keep_lease() {
  const std::weak_ptr<bool> alive = alive_;
  while (!leaving_) {
    Millis pause = settings_.lease / kRenewalsPerLease;
    std::string trouble;
    try {
      co_await look();
    } catch (const PgError& error) {
      trouble = error.what();
    } catch (const StoreError& error) {
      trouble = error.what();
    }
    if (alive.expired() || leaving_) co_return;
    if (!trouble.empty()) trouble_ = trouble;
    if (is_woken_ && trouble.empty()) {
      is_woken_ = false;
      continue;
    }
    // What another node leaves behind by dying is taken at the end of its lease, not a nap later.
    if (trouble.empty() && next_end_) pause = std::min(pause, *next_end_ + kPastTheEnd);
    nap_ = std::make_unique<Timer>(executor_);
    nap_->expires_after(pause);
    boost::system::error_code ignored;
    co_await nap_->async_wait(net::redirect_error(net::use_awaitable, ignored));
    if (alive.expired()) co_return;
    is_woken_ = false;
  }
}

// By a timer of its own: whatever else is being waited for, nothing may be trusted after its end.
void PgMembers::watch_lease() {
  lease_end_.expires_after(sure_until_ - clock_.steady());
  lease_end_.async_wait([this,
                         alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    if (error || alive.expired() || number_ == 0) return;
    if (clock_.steady() < sure_until_) return watch_lease();
    lose_all("the lease could not be renewed in time" + (trouble_.empty() ? "" : ": " + trouble_));
  });
}

awaitable<void> PgMembers::look() {
  const std::shared_ptr<void> mine = co_await turn();
  if (leaving_) co_return;
  if (!co_await may_work()) co_return;
  if (number_ == 0) co_await become_member();
  Counts counts = co_await renew();
  if (number_ == 0) co_return;
  co_await release_strays(counts);
  if (counts.mine.size() > counts.share()) {
    co_await give_surplus(counts);
  } else {
    co_await take_share(counts);
  }
}

awaitable<PgMembers::Counts> PgMembers::renew() {
  const SteadyTime asked = clock_.steady();
  const auto rows = co_await ask(
      node_sql::list_of(pg(node_sql::kRenew, number_, settings_.lease), pg(node_sql::kSweep),
                        pg(node_sql::kCount, number_), pg(node_sql::kMine, number_)));
  Counts counts;
  if (rows.at(0).empty()) {
    lose_all(kTakenOff);
    co_return counts;
  }
  renewed(asked);
  counts.nodes = static_cast<std::size_t>(rows.at(2).integer(0, 0));
  counts.busy = static_cast<std::size_t>(rows.at(2).integer(0, 1));
  next_end_.reset();
  if (!rows.at(2).is_null(0, 2))
    next_end_ = Millis{std::max<std::int64_t>(rows[2].integer(0, 2), 0)};
  see_nodes(counts.nodes);
  for (int row = 0; row < rows.at(3).size(); ++row)
    counts.mine.push_back({rows[3].text(row, 0), rows[3].text(row, 1), rows[3].text(row, 2)});
  co_return counts;
}

void PgMembers::renewed(SteadyTime asked) {
  sure_until_ = asked + settings_.lease - kMargin;
  trouble_.clear();
  watch_lease();
}

awaitable<void> PgMembers::renew_only() {
  const SteadyTime asked = clock_.steady();
  const auto rows = co_await ask(node_sql::list_of(pg(node_sql::kRenew, number_, settings_.lease)));
  if (number_ == 0) co_return;
  if (rows.at(0).empty()) co_return lose_all(kTakenOff);
  renewed(asked);
}

// Taking over and handing over may take longer than a lease: what else this node has must not end
// by that. Whoever calls has the turn, and `work` leaves the connection alone. Throws what it
// throws.
awaitable<void> PgMembers::while_renewing(std::function<awaitable<void>()> work) {
  struct Course {
    explicit Course(const net::any_io_executor& executor) : pause(executor) {}
    Timer pause;
    bool ended = false;
    std::exception_ptr failure;
  };
  const std::weak_ptr<bool> alive = alive_;
  const auto course = std::make_shared<Course>(executor_);
  spawn(executor_, "places that change hands",
        [course, work = std::move(work)]() -> awaitable<void> {
          try {
            co_await work();
          } catch (const StoreError&) {
            course->failure = std::current_exception();
          }
          course->ended = true;
          course->pause.cancel();
        });
  while (!course->ended) {
    course->pause.expires_after(settings_.lease / kRenewalsPerLease);
    boost::system::error_code ignored;
    co_await course->pause.async_wait(net::redirect_error(net::use_awaitable, ignored));
    if (alive.expired()) throw StoreError(node_sql::kClosed);
    if (course->ended || number_ == 0) continue;
    std::string trouble;
    try {
      co_await renew_only();
    } catch (const PgError& error) {
      trouble = error.what();
    }
    if (!trouble.empty()) trouble_ = trouble;
  }
  if (course->failure) std::rethrow_exception(course->failure);
}

void PgMembers::see_nodes(std::size_t nodes) {
  if (std::exchange(nodes_seen_, nodes) != nodes && hooks_.nodes_changed)
    hooks_.nodes_changed(nodes);
}

void PgMembers::lose_all(const std::string& why) {
  if (number_ == 0) return;
  number_ = 0;
  nodes_seen_ = 0;
  lease_end_.cancel();
  std::vector<Place> places;
  for (const auto& [place, epoch] : std::exchange(held_, {})) {
    places.push_back(place);
    lost_.insert(place);
    ++transitions_;
  }
  hooks_.lost(places);
  writer_.resign();
  if (hooks_.standing) hooks_.standing(why);
}

void PgMembers::refused(const Place& place) {
  if (held_.erase(place) == 0) return;
  ++transitions_;
  hooks_.lost({place});
  // Whether it is only this one, or everything, is seen by looking.
  is_woken_ = true;
  if (nap_) nap_->cancel();
}

awaitable<void> PgMembers::leave() {
  leaving_ = true;
  if (nap_) nap_->cancel();
  const std::shared_ptr<void> mine = co_await turn();
  if (number_ == 0) co_return;
  std::vector<Place> places;
  for (const auto& [place, epoch] : held_) places.push_back(place);
  giving_.insert(places.begin(), places.end());
  co_await hand_over(std::move(places));
  held_.clear();
  if (number_ == 0) co_return;  // the lease ended meanwhile
  try {
    const std::string payload = "places";
    co_await ask(node_sql::list_of(pg(node_sql::kLeave, number_), pg(node_sql::kTell, payload)));
  } catch (const PgError&) {
    // The others see it by the lease.
  }
  number_ = 0;
  lease_end_.cancel();
}

void PgMembers::close() {
  leaving_ = true;
  alive_.reset();
  lease_end_.cancel();
  if (nap_) nap_->cancel();
  connection_.reset();
}

void PgMembers::hear(const std::string& payload) {
  const std::size_t space = payload.find(' ');
  const std::string what = payload.substr(0, space);
  if (what == "places") {
    is_woken_ = true;
    if (nap_) nap_->cancel();
    return;
  }
  if (hooks_.heard) hooks_.heard(what, space == std::string::npos ? "" : payload.substr(space + 1));
}

awaitable<std::vector<NodeView>> PgMembers::nodes() {
  std::vector<NodeView> nodes;
  try {
    const std::shared_ptr<void> mine = co_await turn();
    const auto rows = co_await ask(node_sql::list_of(pg(node_sql::kNodes)));
    for (int row = 0; row < rows.at(0).size(); ++row) {
      const PgRows& r = rows[0];
      nodes.push_back({r.integer(row, 0), r.text(row, 1), r.text(row, 2), r.time(row, 3),
                       r.time(row, 4), r.time(row, 5), static_cast<std::size_t>(r.integer(row, 6)),
                       static_cast<std::size_t>(r.integer(row, 7)), r.integer(row, 0) == number_});
    }
  } catch (const PgError& error) {
    throw StoreError(std::string("the PostgreSQL store could not be asked: ") + error.what());
  }
  co_return nodes;
}

}  // namespace rollwatch
