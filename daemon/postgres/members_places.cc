// Who has which place: taking, giving back, and claiming one for a call.
#include <utility>

#include "daemon/engine/store.h"
#include "daemon/postgres/members.h"
#include "daemon/postgres/members_sql.h"

namespace rollwatch {

awaitable<void> PgMembers::take_share(const Counts& counts) {
  const std::size_t room = counts.share() - counts.mine.size();
  if (room == 0) co_return;
  const auto rows = co_await ask(
      node_sql::list_of(pg(node_sql::kTake, number_, static_cast<std::int64_t>(room))));
  std::vector<Lease> leases;
  leases.reserve(static_cast<std::size_t>(rows.at(0).size()));
  for (int row = 0; row < rows.at(0).size(); ++row)
    leases.push_back({{rows[0].text(row, 0), rows[0].text(row, 1), rows[0].text(row, 2)},
                      static_cast<Epoch>(rows[0].integer(row, 3))});
  if (!leases.empty()) co_await gain(std::move(leases));
}

// Those it got last go first.
awaitable<void> PgMembers::give_surplus(const Counts& counts) {
  std::vector<Place> places;
  for (const Place& place : counts.mine) {
    if (places.size() == counts.mine.size() - counts.share()) break;
    if (held_.contains(place)) places.push_back(place);
  }
  if (!places.empty()) co_await give_back(std::move(places));
}

awaitable<void> PgMembers::gain(std::vector<Lease> leases) {
  const std::weak_ptr<bool> alive = alive_;
  std::vector<Lease> anew, back;
  for (Lease& lease : leases) {
    held_[lease.place] = lease.epoch;
    ++transitions_;
    (lost_.erase(lease.place) > 0 ? back : anew).push_back(std::move(lease));
  }
  std::vector<Place> places;
  for (const auto* list : {&anew, &back})
    for (const Lease& lease : *list) places.push_back(lease.place);
  gaining_.insert(places.begin(), places.end());
  std::optional<std::string> failure;
  try {
    if (!back.empty()) co_await take_over(std::move(back), Cause::kMissedStore);
    if (!anew.empty()) co_await take_over(std::move(anew), Cause::kMissedDowntime);
  } catch (const StoreError& error) {
    failure = error.what();
  }
  if (alive.expired()) throw StoreError(node_sql::kClosed);
  gaining_.clear();
  if (!failure) co_return;
  // They could not be read: whoever can takes them.
  co_await give_back(std::move(places));
  throw StoreError(*failure);
}

// Ours by the table, and we do not know: the answer to our taking them was lost, or they could not
// be released. Nothing is in flight there; they go to whoever takes them next.
awaitable<void> PgMembers::release_strays(Counts& counts) {
  std::vector<Place> strays;
  std::erase_if(counts.mine, [&](const Place& place) {
    if (held_.contains(place)) return false;
    strays.push_back(place);
    return true;
  });
  if (!strays.empty()) co_await release(std::move(strays));
}

awaitable<void> PgMembers::release(std::vector<Place> places) {
  PgArray ns, services, targets;
  for (const Place& place : places) {
    ns.add(place.ns);
    services.add(place.service);
    targets.add(place.target);
  }
  co_await ask(node_sql::list_of(pg(node_sql::kRelease, number_, ns, services, targets),
                                 pg(node_sql::kTell, std::string("places"))));
}

awaitable<void> PgMembers::take_over(std::vector<Lease> leases, Cause cause) {
  std::function<awaitable<void>()> work = [gained = hooks_.gained, leases = std::move(leases),
                                           cause] { return gained(leases, cause); };
  co_await while_renewing(std::move(work));
}

awaitable<void> PgMembers::hand_over(std::vector<Place> places) {
  std::function<awaitable<void>()> work = [give_up = hooks_.give_up, places = std::move(places)] {
    return give_up(places);
  };
  co_await while_renewing(std::move(work));
}

awaitable<void> PgMembers::give_back(std::vector<Place> places) {
  {
    std::vector<Place> copy = places;
    giving_.insert(places.begin(), places.end());
    co_await hand_over(std::move(copy));
    giving_.clear();
  }
  for (const Place& place : places) {
    held_.erase(place);
    ++transitions_;
  }
  co_await release(std::move(places));
}

// ---- Calls

awaitable<std::optional<Epoch>> PgMembers::claim(Place place) {
  // Whoever gives places back waits for what is being registered there: it must not wait for us.
  if (giving_.contains(place)) co_return std::nullopt;
  if (const auto epoch = held(place); epoch && !gaining_.contains(place)) co_return epoch;
  const std::shared_ptr<void> mine = co_await turn();
  if (const auto epoch = held(place)) co_return epoch;
  if (number_ == 0 || leaving_)
    throw StoreError("this node is not a member of the system at the moment");
  std::vector<Lease> leases;
  try {
    const auto rows = co_await ask(
        node_sql::list_of(pg(node_sql::kNewPlace, place.ns, place.service, place.target),
                          pg(node_sql::kClaim, number_, place.ns, place.service, place.target)));
    if (rows.at(1).empty()) co_return std::nullopt;
    leases.push_back({place, static_cast<Epoch>(rows[1].integer(0, 0))});
  } catch (const PgError& error) {
    throw StoreError(std::string("the PostgreSQL store could not be asked: ") + error.what());
  }
  try {
    co_await gain(std::move(leases));
  } catch (const PgError& error) {
    throw StoreError(std::string("the PostgreSQL store could not be asked: ") + error.what());
  }
  co_return held(place);
}

}  // namespace rollwatch
