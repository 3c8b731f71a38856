#include "test/postgres/transfer_fixture.h"

#include <cmath>
#include <limits>

#include "analysis/state_codec.h"
#include "daemon/storage/retention.h"

namespace rollwatch {
namespace {

using namespace std::string_literals;

const std::string kNul = "a\0b"s;
const std::string kNoUtf8 = "caf\xe9 \xff"s;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

const std::string kFirst = rollout_id(1), kSecond = rollout_id(2), kThird = rollout_id(3),
                  kGone = rollout_id(4);

StoredEvaluation evaluation_of(std::uint32_t number, std::optional<double> value,
                               std::optional<double> evidence) {
  StoredEvaluation evaluation = full_evaluation(number);
  evaluation.judgement.value = value;
  evaluation.judgement.evidence = evidence;
  return evaluation;
}

Commit first() {
  Commit commit = registration(kFirst);
  commit.insert->spec.by = kNul;
  // The first two change places once the second is clean.
  commit.insert->spec.labels = {{"\xf0\x9f\x98\x80", "x"}, {"\xff", kNul}, {"tier", "web"}};
  commit.state = full_state();
  commit.evaluations = {evaluation_of(1, kNan, -kInfinity), evaluation_of(2, -0.0, 5e-324),
                        evaluation_of(3, std::nullopt, std::nullopt),
                        evaluation_of(4, kInfinity, 1.7976931348623157e308)};
  commit.evaluations[1].judgement.rule = std::nullopt;
  commit.evaluations[2].judgement.series = kNoUtf8;
  commit.evaluations[2].judgement.detail = kNul;
  commit.events = {full_event(), full_event()};
  Delivery given = order("ord_1");
  given.state = DeliveryState::kAccepted;
  given.accepted_until = kNow + Millis(9);
  given.attempts = {full_attempt(), full_attempt()};
  given.attempts[0].answer = kNoUtf8;
  given.attempts[1].status = std::nullopt;
  Delivery told = notification("no_1");
  told.payload = "\"'{},\\ \x01 \xc3\xa9";
  commit.deliveries = {given, told};
  commit.explains = {{"d1", kNow, R"({"a":1})"}, {"d2", kNow + Millis(1), R"({"b":"\u0000"})"}};
  commit.memos = {{"releases", "ts", kNoUtf8}, {"releases", "group", "shared", true}};
  commit.idempotency = IdempotencyRecord{"key " + kNoUtf8, std::string(64, 'f'), kNow};
  return commit;
}

Commit second() {
  Commit commit = registration(kSecond, "eu-1");
  commit.insert->document =
      std::make_shared<PlanDocument>(PlanDocument{1, R"({"steps":[1]})", R"({"steps":"request"})"});
  commit.evaluations = {full_evaluation(1)};
  commit.events = {full_event()};
  Delivery open = order("ord_2", kNow + Millis(50));
  Delivery done = notification("no_2");
  done.state = DeliveryState::kDone;
  done.attempts = {full_attempt()};
  commit.deliveries = {open, done};
  commit.explains = {{"d3", kNow, "{}"}};
  return commit;
}

Commit gone() {
  Commit commit = registration(kGone, "gone");
  Delivery done = order("ord_4");
  done.state = DeliveryState::kDone;
  done.attempts = {full_attempt()};
  commit.deliveries = {done};
  commit.evaluations = {full_evaluation(1)};
  commit.events = {full_event()};
  commit.explains = {{"d4", kNow, "{}"}};
  commit.memos = {{"releases", "ts", "4"}};
  return commit;
}

std::string text_of(const StoredRollout& rollout) {
  const PlanDocument plan = rollout.document ? *rollout.document : PlanDocument{};
  return text_of(rollout.spec) + "|" + PgArray::encoded(PgBytes{encode_state(rollout.state)}) +
         "|" + std::to_string(rollout.fence) + "|" + std::to_string(plan.version) + plan.analysis +
         plan.sources;
}
std::string text_of(const StoredEvent& event) {
  return std::to_string(event.seq) + event.rollout + text_of(event.event);
}
std::string text_of(const StreamedEvent& event) {
  return text_of(event.stored) + event.ns + "/" + event.service;
}
std::string text_of(const ExplainRecord& explain) {
  return explain.decision + PgArray::encoded(explain.at) + explain.bundle;
}
std::string text_of(const Store::Idempotent& found) { return found.rollout + found.body_sha256; }
const std::string& text_of(const std::string& text) { return text; }

// Collects answers, each after the question it belongs to.
class Answers {
 public:
  std::vector<std::string> texts;

  template <class T>
  void add(const std::string& question, const std::vector<T>& answer) {
    texts.push_back(question + ": " + std::to_string(answer.size()));
    for (const T& one : answer) texts.push_back(question + ": " + pg_text(text_of(one)));
  }
  template <class T>
  void add(const std::string& question, const std::optional<T>& answer) {
    texts.push_back(question + ": " + (answer ? pg_text(text_of(*answer)) : "nothing"));
  }
  template <class T>
  void add(const std::string& question, const Page<T>& page) {
    add(question, page.items);
    texts.push_back(question + " goes on: " + page.next_cursor.value_or("no"));
  }
};

std::string fmt_of(const EventStretch& stretch) {
  return "the log to " + std::to_string(stretch.up_to) + " of " + std::to_string(stretch.newest) +
         ", whole after " + std::to_string(stretch.deleted);
}

std::vector<Place> some_places() {
  return {place_of(registration(kSecond, "eu-1").insert->spec),
          place_of(registration(kThird, "nowhere").insert->spec)};
}

awaitable<void> ask_about(Store& store, std::string id, Answers& answers) {
  answers.add(id, co_await store.rollout(id));
  answers.add(id + " evaluations", co_await store.evaluations(id, 0, 100));
  answers.add(id + " evaluations after 1", co_await store.evaluations(id, 1, 2));
  answers.add(id + " events", co_await store.events(id, 0, 100));
  const auto page = co_await store.deliveries(id, 1, std::nullopt);
  answers.add(id + " deliveries", page);
  if (page.next_cursor)
    answers.add(id + " more deliveries", co_await store.deliveries(id, 5, page.next_cursor));
  answers.add(id + " explain", co_await store.explain(id, std::nullopt));
  for (const char* decision : {"d1", "d2", "d3", "d4"})
    answers.add(id + decision, co_await store.explain(id, decision));
  answers.add(id + " memo", co_await store.memo(id, "releases", "ts"));
}

awaitable<void> ask_all(Store& store, Answers& answers) {
  for (const std::string& id : {kFirst, kSecond, kThird, kGone})
    co_await ask_about(store, id, answers);
  answers.add("active", co_await store.active(std::nullopt));
  answers.add("open", co_await store.open_deliveries(std::nullopt));
  answers.add("active there", co_await store.active(some_places()));
  answers.add("open there", co_await store.open_deliveries(some_places()));
  ListFilter filter;
  const auto page = co_await store.list(filter, 2, std::nullopt);
  answers.add("list", page);
  answers.add("list on", co_await store.list(filter, 2, page.next_cursor));
  filter.labels = {{"tier", "web"}};
  answers.add("with a label", co_await store.list(filter, 9, std::nullopt));
  filter.states = {State::kPromoted};
  answers.add("promoted", co_await store.list(filter, 9, std::nullopt));
  answers.add("latest", co_await store.latest("default", "checkout", "eu-1", "1.24"));
  answers.add("targets", co_await store.latest_per_target("default", "checkout", 9));
  answers.add("events", co_await store.events(std::nullopt, 0, 100));
  answers.add("events after 2", co_await store.events(std::nullopt, 2, 2));
  const EventStretch stretch = co_await store.event_stretch(0, 100);
  answers.add("the log", stretch.items);
  answers.texts.push_back(fmt_of(stretch));
  for (const char* id : {"ord_1", "no_1", "ord_2", "no_2", "ord_4"})
    answers.add(id, co_await store.delivery(id));
  answers.add("shared", co_await store.memo("", "releases", "group"));
  answers.add("key", co_await store.idempotent("other key", kNow));
  std::string freezes;
  for (const FreezeRecord& freeze : co_await store.freezes()) {
    freezes += freeze.ns + "/" + freeze.service + freeze.by + freeze.reason + freeze.lifted_by +
               freeze.lift_reason + freeze.via.token + freeze.via.address +
               freeze.lifted_via.token + freeze.lifted_via.address +
               PgArray::encoded(freeze.since) + PgArray::encoded(freeze.until.value_or(SysTime{})) +
               PgArray::encoded(freeze.lifted_at.value_or(SysTime{})) + "; ";
  }
  answers.texts.push_back(pg_text(freezes));
}

}  // namespace

std::vector<std::string> answers_of(Store& store,
                                    const std::function<void(awaitable<void>)>& wait) {
  Answers answers;
  wait(ask_all(store, answers));
  return std::move(answers.texts);
}

void TransferTest::fill() {
  {
    SqliteStore store(io_.get_executor(), file_);
    wait(store.record(list_of(first())));
    wait(store.record(list_of(second())));
    Commit third = registration(kThird, "nowhere");  // a place that has no fence yet
    third.idempotency = IdempotencyRecord{"other key", std::string(64, 'e'), kNow};
    wait(store.record(list_of(std::move(third))));
    wait(store.record(list_of(gone())));
    wait(store.record(list_of(step(kSecond, 2))));
    wait(store.record(list_of(ending(kThird, kNow + Millis(5)))));
    wait(store.record(list_of(ending(kGone, kNow - Millis(99)))));
    wait(store.put_freeze({"", "", "ana", kNul, kNow, kNow + Millis(1)}));
    wait(store.put_freeze({"default", "checkout", "bo", "'quoted'", kNow, std::nullopt,
                           kNow + Millis(2), "ana", "done"}));
  }
  Database db(file_, Database::Mode::kReadWrite);
  ASSERT_GT(db.integer("SELECT count(*) FROM recent r JOIN states s ON s.rollout = r.rollout"
                       " WHERE r.id > s.folded AND r.number IS NOT NULL AND r.state IS NOT NULL"),
            0)
      << "rows that are not where they belong yet";
  ASSERT_EQ(hide_ended(db, kNow, 5).size(), 1U);
}

TransferResult TransferTest::transfer(std::function<void(const TransferProgress&)> progress) {
  return wait(transfer_store(io_.get_executor(), file_, url_, std::move(progress)));
}

std::string TransferTest::refusal(std::function<void(const TransferProgress&)> progress) {
  try {
    transfer(std::move(progress));
    return "";
  } catch (const TransferError& error) {
    return error.what();
  }
}

std::vector<std::string> TransferTest::differences() {
  try {
    transfer();
    return {};
  } catch (const TransferMismatch& mismatch) {
    return mismatch.differences();
  }
}

void TransferTest::sqlite(const std::string& sql) {
  Database(file_, Database::Mode::kReadWrite).execute(sql);
}

void TransferTest::execute(const std::string& sql) {
  PgConnection connection(io_.get_executor(), {url_});
  wait(connection.execute(sql));
}

std::int64_t TransferTest::rows_there() {
  std::string sum = "SELECT (SELECT last FROM event_counter)";
  for (const TransferTable& table : transfer_tables())
    sum += " + (SELECT count(*) FROM " + std::string(table.name) + ")";
  return number(sum);
}

}  // namespace rollwatch
