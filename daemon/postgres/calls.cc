#include "daemon/postgres/calls.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "daemon/engine/store.h"

namespace rollwatch {
namespace {

// How long a lost notification can cost.
constexpr Millis kLookAgain{500};

constexpr std::string_view kAskOwner =
    "WITH c AS (INSERT INTO calls (asker, owner, request) SELECT $1::bigint, p.owner, $5"
    " FROM places p JOIN nodes n ON n.number = p.owner WHERE p.namespace = $2 AND p.service = $3"
    " AND p.target = $4 AND p.owner <> $1::bigint RETURNING number, owner)"
    " SELECT c.number, pg_notify('rollwatch', 'call ' || c.owner) FROM c";
constexpr std::string_view kAskOthers =
    "WITH c AS (INSERT INTO calls (asker, owner, request) SELECT $1::bigint, n.number, $2"
    " FROM nodes n WHERE n.number <> $1::bigint AND n.expires_at > clock_timestamp()"
    " RETURNING number, owner)"
    " SELECT c.number, pg_notify('rollwatch', 'call ' || c.owner) FROM c";
constexpr std::string_view kTakeCalls =
    "UPDATE calls SET taken = true WHERE number IN (SELECT number FROM calls WHERE owner ="
    " $1::bigint AND NOT taken ORDER BY number LIMIT 50 FOR UPDATE SKIP LOCKED)"
    " RETURNING number, asker, request";
constexpr std::string_view kWriteAnswer =
    "WITH c AS (UPDATE calls SET answer = $2 WHERE number = $1::bigint RETURNING asker, number)"
    " SELECT pg_notify('rollwatch', 'answer ' || c.asker || ' ' || c.number) FROM c";
constexpr std::string_view kReadAnswer =
    "DELETE FROM calls WHERE number = $1::bigint AND answer IS NOT NULL RETURNING answer";
constexpr std::string_view kGiveUpCall =
    "DELETE FROM calls WHERE number = $1::bigint RETURNING answer, taken";
constexpr std::string_view kSweepCalls =
    "DELETE FROM calls WHERE made_at < clock_timestamp() - interval '2 minutes'";

std::int64_t number_in(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

PgCalls::PgCalls(net::any_io_executor executor, Clock& clock, PgPool& pool, PgMembers& members,
                 Answerer answerer)
    : executor_(std::move(executor)),
      clock_(clock),
      pool_(pool),
      members_(members),
      answerer_(std::move(answerer)) {}

PgCalls::~PgCalls() = default;

awaitable<std::optional<std::string>> PgCalls::ask(Place place, std::string request, Millis limit) {
  std::int64_t number = 0;
  try {
    PgStatement insert =
        pg(kAskOwner, members_.number(), place.ns, place.service, place.target, request);
    const PgRows asked = co_await pool_.ask_once(std::move(insert));
    if (asked.empty()) co_return std::nullopt;
    number = asked.integer(0, 0);
    co_return co_await answer_to(number, clock_.steady() + limit);
  } catch (const PgError& error) {
    if (number != 0 || error.may_have_happened()) throw NoAnswer(error.what());
    throw StoreError(std::string("the PostgreSQL store could not be asked: ") + error.what());
  }
}

awaitable<std::vector<std::string>> PgCalls::ask_others(std::string request, Millis limit) {
  std::vector<std::string> answers;
  try {
    PgStatement insert = pg(kAskOthers, members_.number(), request);
    const PgRows asked = co_await pool_.ask(std::move(insert));
    const SteadyTime end = clock_.steady() + limit;
    for (int row = 0; row < asked.size(); ++row) {
      auto answer = co_await answer_to(asked.integer(row, 0), end);
      if (!answer) throw StoreError("another node does not answer");
      answers.push_back(std::move(*answer));
    }
  } catch (const NoAnswer& error) {
    throw StoreError(error.what());
  } catch (const PgError& error) {
    throw StoreError(std::string("the PostgreSQL store could not be asked: ") + error.what());
  }
  co_return answers;
}

awaitable<std::optional<std::string>> PgCalls::answer_to(std::int64_t number, SteadyTime end) {
  for (;;) {
    // Before looking, so that an answer that comes meanwhile is not slept through.
    auto woken = std::make_shared<Promise<bool>>(executor_);
    waiting_[number] = woken;
    const bool is_last = clock_.steady() >= end;
    PgStatement read = pg(is_last ? kGiveUpCall : kReadAnswer, number);
    const PgRows answer = co_await pool_.ask(std::move(read));
    const bool is_there = !answer.empty() && !answer.is_null(0, 0);
    if (is_there || is_last) waiting_.erase(number);
    if (is_there) co_return answer.text(0, 0);
    if (is_last) {
      // Taken back before anybody took it: nobody will.
      if (!answer.empty() && !answer.boolean(0, 1)) co_return std::nullopt;
      throw NoAnswer("the other node took the call and did not answer in time");
    }
    spawn(executor_, "call", [woken, &clock = clock_]() -> awaitable<void> {
      co_await clock.sleep(kLookAgain);
      woken->set(false);
    });
    co_await woken->get();
  }
}

void PgCalls::heard(const std::string& what, const std::string& rest) {
  if (what == "call" && number_in(rest) == members_.number()) return look();
  if (what != "answer") return;
  const std::size_t space = rest.find(' ');
  if (space == std::string::npos || number_in(rest) != members_.number()) return;
  const auto found = waiting_.find(number_in(std::string_view(rest).substr(space + 1)));
  if (found != waiting_.end()) found->second->set(true);
}

void PgCalls::look() {
  if (!members_.is_member()) return;
  if (taking_) {
    take_again_ = true;
    return;
  }
  taking_ = true;
  spawn(executor_, "calls", [this, alive = std::weak_ptr(alive_)]() -> awaitable<void> {
    if (!alive.expired()) co_await take();
  });
}

awaitable<void> PgCalls::take() {
  const std::weak_ptr<bool> alive = alive_;
  do {
    take_again_ = false;
    try {
      std::vector<PgStatement> statements;
      statements.push_back(pg(kTakeCalls, members_.number()));
      statements.push_back(pg(kSweepCalls));
      const auto rows = co_await pool_.ask(std::move(statements));
      if (alive.expired()) co_return;
      for (int row = 0; row < rows.at(0).size(); ++row) {
        take_again_ = true;
        spawn(executor_, "call of another node",
              [this, alive, number = rows[0].integer(row, 0), asker = rows[0].integer(row, 1),
               request = rows[0].text(row, 2)]() -> awaitable<void> {
                if (!alive.expired()) co_await answer_one(number, asker, request);
              });
      }
    } catch (const PgError&) {
      // The asker is told when its time is up; what can still be answered is taken at the next
      // look.
    }
  } while (take_again_);
  taking_ = false;
}

awaitable<void> PgCalls::answer_one(std::int64_t number, std::int64_t, std::string request) {
  const std::string answer = co_await answerer_(std::move(request));
  try {
    PgStatement statement = pg(kWriteAnswer, number, answer);
    co_await pool_.ask(std::move(statement));
  } catch (const PgError&) {
    // As above: it was carried out, and the asker does not hear of it.
  }
}

}  // namespace rollwatch
