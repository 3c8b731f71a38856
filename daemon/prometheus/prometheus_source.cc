#include "daemon/prometheus/prometheus_source.h"

#include <algorithm>
#include <bit>
#include <boost/asio/post.hpp>
#include <functional>
#include <string_view>
#include <utility>

#include "daemon/http/keep_alive.h"
#include "daemon/prometheus/answer_parser.h"
#include "daemon/prometheus/past_answer.h"
#include "daemon/prometheus/query_queue.h"

namespace rollwatch {

namespace {

Answer failed(FailureKind kind, std::string message, Millis waited = Millis{0}) {
  Answer answer;
  answer.result = QueryFailure{kind, std::move(message), 0};
  answer.duration = waited;
  return answer;
}

FailureKind kind_of(HttpError error) {
  switch (error) {
    case HttpError::kNone:
      break;
    case HttpError::kUnreachable:
      return FailureKind::kUnreachable;
    case HttpError::kTimeout:
      return FailureKind::kTimeout;
    case HttpError::kTooLarge:
      return FailureKind::kTooLarge;
    case HttpError::kCancelled:
      return FailureKind::kNotAsked;
  }
  return FailureKind::kUnreachable;
}

Answer answer_of(const std::string& name, const Datasource& source, KeptAnswer response) {
  const Millis duration = response.duration;
  Answer answer;
  if (response.error == HttpError::kNone) {
    auto body = std::make_shared<const std::string>(std::move(response.body));
    answer = parse_answer(name, response.status, response.content_type, std::move(body));
  } else {
    answer = failed(kind_of(response.error), std::move(response.error_text));
    std::get<QueryFailure>(answer.result).http_status = response.status;
  }
  if (auto* failure = std::get_if<QueryFailure>(&answer.result)) {
    failure->message = without_secrets(std::move(failure->message), source);
  }
  answer.duration = duration;
  return answer;
}

// Whether one answer does for both.
bool is_same(const Question& a, const Question& b) {
  return a.time == b.time && a.range_step == b.range_step && a.range_from == b.range_from &&
         a.query == std::string_view(b.query) && a.timeout == b.timeout &&
         a.largest_answer == b.largest_answer && a.datasource == b.datasource;
}
std::size_t hash_of(const Question& question) {
  return std::hash<std::string_view>()(question.query) ^
         static_cast<std::size_t>(question.time.time_since_epoch().count());
}

}  // namespace

class PrometheusSource::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const net::any_io_executor& executor, Clock& clock, SourceHooks hooks, SourceLimits limits)
      : executor_(executor), clock_(clock), hooks_(std::move(hooks)), limits_(limits) {}

  void configure(std::map<std::string, Datasource> datasources);
  void ask(std::vector<Question> questions, std::shared_ptr<const Answered> answered);
  void stop();
  const Datasource* find(const std::string& name) const;
  std::optional<bool> up(const std::string& name) const;
  DatasourceReading reading(const std::string& name) const;

 private:
  // What a datasource's configuration comes to.
  struct Server {
    Datasource settings;
    std::optional<QueryEncoder> encoder;
    std::optional<KeepAliveClient> client;  // none: its address is no URL
    int out = 0;                            // questions
  };
  using ServerPtr = std::shared_ptr<Server>;

  // One datasource: what is out, what waits, and how it was last seen.
  struct Pool {
    std::string name;
    ServerPtr server;  // null: configured no more, only its last questions are out
    int busy = 0;
    QueryQueue waiting;
    bool sends_soon = false;       // at the end of this turn of the loop
    bool is_looked_after = false;  // somebody looks after `waiting` every now and then
    DatasourceReading seen;        // but for what is out and what waits
  };
  using PoolPtr = std::shared_ptr<Pool>;

  void later(std::function<void()> work);
  PoolPtr pool_of(const std::string& name);
  void send_soon(const PoolPtr& pool);
  void send_next(const PoolPtr& pool);
  void send(const PoolPtr& pool, const AskingPtr& asking, SteadyTime now);
  void received(const PoolPtr& pool, const ServerPtr& server, const Asking& asking,
                KeptAnswer response);
  static int connections(const Pool& pool) {
    return pool.server ? std::max(1, pool.server->settings.max_concurrency) : 0;
  }
  void give_up(Pool& pool, const QueryQueue::GivenUp& given_up);
  void look_after(const PoolPtr& pool);
  void answer(Pool& pool, const Asking& asking, Answer answer);
  void note(Pool& pool, const Answer& answer);

  net::any_io_executor executor_;
  Clock& clock_;
  const SourceHooks hooks_;
  const SourceLimits limits_;
  // Also of what was configured once, while questions are out.
  std::map<std::string, PoolPtr> pools_;
  // Not configured any more, but questions that were sent to them are out still.
  std::vector<ServerPtr> retired_;
  bool stopped_ = false;
};

// Nothing is answered from now on, and what is out is closed.
void PrometheusSource::Impl::stop() {
  stopped_ = true;
  for (const auto& [name, pool] : pools_)
    if (pool->server) pool->server->client.reset();
  for (const ServerPtr& server : retired_) server->client.reset();
}

const Datasource* PrometheusSource::Impl::find(const std::string& name) const {
  const auto pool = pools_.find(name);
  if (pool == pools_.end() || !pool->second->server) return nullptr;
  return &pool->second->server->settings;
}

std::optional<bool> PrometheusSource::Impl::up(const std::string& name) const {
  return find(name) ? pools_.at(name)->seen.up : std::nullopt;
}

DatasourceReading PrometheusSource::Impl::reading(const std::string& name) const {
  if (!find(name)) return {};
  const Pool& pool = *pools_.at(name);
  DatasourceReading reading = pool.seen;
  reading.in_flight = static_cast<std::size_t>(pool.busy);
  reading.waiting = pool.waiting.size();
  return reading;
}

// Nothing of ours runs inside a caller, nor after the owner is gone.
void PrometheusSource::Impl::later(std::function<void()> work) {
  net::post(executor_, [self = shared_from_this(), work = std::move(work)] {
    if (!self->stopped_) work();
  });
}

PrometheusSource::Impl::PoolPtr PrometheusSource::Impl::pool_of(const std::string& name) {
  PoolPtr& pool = pools_[name];
  if (!pool) {
    pool = std::make_shared<Pool>();
    pool->name = name;
  }
  return pool;
}

void PrometheusSource::Impl::configure(std::map<std::string, Datasource> datasources) {
  for (auto& [name, pool] : pools_) {
    if (pool->server && pool->server->out > 0) retired_.push_back(pool->server);
    pool->server.reset();
  }
  for (auto& [name, source] : datasources) {
    auto server = std::make_shared<Server>();
    server->settings = std::move(source);
    if (auto base = read_base_url(server->settings.url)) {
      server->encoder.emplace(server->settings, *base);
      server->client.emplace(executor_, clock_, std::move(*base), server->settings.tls);
    }
    pool_of(name)->server = std::move(server);
  }
  for (auto& [name, pool] : pools_) {
    if (!pool->server) pool->seen = {};
    if (!pool->waiting.empty()) later([this, pool = pool] { send_next(pool); });
  }
}

void PrometheusSource::Impl::ask(std::vector<Question> questions,
                                 std::shared_ptr<const Answered> answered) {
  const SteadyTime now = clock_.steady();
  // Of several equal questions the first is asked: it is found by its hash, in a table that is half
  // empty at least.
  std::vector<Asking*> asked(questions.size() > 1 ? std::bit_ceil(2 * questions.size()) : 1);
  std::vector<PoolPtr> touched;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    Question& question = questions[i];
    std::size_t place = asked.size() > 1 ? hash_of(question) & (asked.size() - 1) : 0;
    while (asked[place] != nullptr && !is_same(asked[place]->question, question))
      place = (place + 1) & (asked.size() - 1);
    if (asked[place] != nullptr) {
      asked[place]->others.push_back({answered, i});
      continue;
    }
    PoolPtr pool = pool_of(question.datasource);
    Millis timeout = question.timeout;
    if (timeout == Millis{0} && pool->server) timeout = pool->server->settings.timeout;
    const auto asking = std::make_shared<Asking>(
        Asking{std::move(question), now, now + timeout, {answered, i}, {}});
    asked[place] = asking.get();
    pool->waiting.push(asking, now);
    if (std::find(touched.begin(), touched.end(), pool) == touched.end())
      touched.push_back(std::move(pool));
  }
  later([this, touched = std::move(touched)] {
    for (const PoolPtr& pool : touched) send_next(pool);
  });
}

void PrometheusSource::Impl::send_next(const PoolPtr& pool) {
  if (!pool->server) {
    for (const AskingPtr& asking : pool->waiting.take_all())
      answer(*pool, *asking,
             failed(FailureKind::kNotAsked, "datasource " + pool->name + " is not configured"));
    const auto known = pools_.find(pool->name);
    if (pool->busy == 0 && known != pools_.end() && known->second == pool) pools_.erase(known);
    return;
  }
  while (!stopped_ && pool->server && pool->busy < connections(*pool)) {
    const SteadyTime now = clock_.steady();
    const AskingPtr next = pool->waiting.pop(now);
    if (!next) break;
    if (next->until - now < Millis{1})
      give_up(*pool, pool->waiting.give_up(next));
    else if (!pool->server->client)
      answer(*pool, *next, failed(FailureKind::kUnreachable, "the address is not a URL"));
    else
      send(pool, next, now);
  }
  if (!pool->waiting.empty()) look_after(pool);
}

void PrometheusSource::Impl::send(const PoolPtr& pool, const AskingPtr& asking, SteadyTime now) {
  const auto server = pool->server;
  const auto left = std::chrono::floor<Millis>(asking->until - now);
  KeptRequest request;
  const Question& question = asking->question;
  request.bytes = question.range_step == Millis{0}
                      ? server->encoder->request(question.query, question.time, left)
                      : server->encoder->range_request(question.query, question.range_from,
                                                       question.time, question.range_step, left);
  request.timeout = left;
  request.max_answer = limits_.answer_bytes;
  if (const std::size_t largest = asking->question.largest_answer; largest > 0)
    request.max_answer = std::min(request.max_answer, largest);
  // The client is the server's, and holds this.
  request.done = [self = shared_from_this(), pool, weak = std::weak_ptr<Server>(server),
                  asking](KeptAnswer response) {
    const ServerPtr from = weak.lock();
    if (from && !self->stopped_) self->received(pool, from, *asking, std::move(response));
  };
  ++pool->busy;
  ++server->out;
  server->client->send(std::move(request));
}

void PrometheusSource::Impl::received(const PoolPtr& pool, const ServerPtr& server,
                                      const Asking& asking, KeptAnswer response) {
  --pool->busy;
  if (--server->out == 0) std::erase(retired_, server);
  if (response.error == HttpError::kNone) pool->waiting.answered(clock_.steady());
  Answer parsed = answer_of(pool->name, server->settings, std::move(response));
  note(*pool, parsed);
  answer(*pool, asking, std::move(parsed));
  send_soon(pool);
}

// When the other answers that are here have been read: what goes out together wakes the server
// once.
void PrometheusSource::Impl::send_soon(const PoolPtr& pool) {
  if (std::exchange(pool->sends_soon, true)) return;
  later([this, pool] {
    pool->sends_soon = false;
    send_next(pool);
  });
}

void PrometheusSource::Impl::give_up(Pool& pool, const QueryQueue::GivenUp& given_up) {
  const Asking& asking = *given_up.asking;
  const auto waited = std::chrono::floor<Millis>(clock_.steady() - asking.since);
  const std::string all = "all " + std::to_string(connections(pool)) + " of datasource " +
                          pool.name + " (max_concurrency) are busy";
  if (given_up.overload)
    return answer(
        pool, asking,
        failed(FailureKind::kOverload,
               "waited " + format_duration(waited) + " for a free connection: " + all, waited));
  answer(
      pool, asking,
      failed(FailureKind::kTimeout,
             "no answer within " + format_duration(waited) + ": " + all + " without one", waited));
}

void PrometheusSource::Impl::look_after(const PoolPtr& pool) {
  if (std::exchange(pool->is_looked_after, true)) return;
  spawn(executor_, "queue of " + pool->name,
        [self = shared_from_this(), pool]() -> awaitable<void> {
          co_await self->clock_.sleep(SendingPace::kTick);
          if (self->stopped_) co_return;
          pool->is_looked_after = false;
          for (const QueryQueue::GivenUp& given_up : pool->waiting.expire(self->clock_.steady()))
            self->give_up(*pool, given_up);
          self->send_next(pool);
        });
}

void PrometheusSource::Impl::answer(Pool& pool, const Asking& asking, Answer answer) {
  pool.seen.count(answer, clock_.wall());
  if (hooks_.query_finished) hooks_.query_finished(pool.name, result_word(answer), answer.duration);
  answer.shared_with = asking.others.size();
  for (const Asking::Receiver& other : asking.others) (*other.answered)(other.index, answer);
  (*asking.asker.answered)(asking.asker.index, std::move(answer));
}

void PrometheusSource::Impl::note(Pool& pool, const Answer& answer) {
  if (!pool.server || !pool.seen.note(answer, clock_.wall())) return;
  if (hooks_.up_changed) hooks_.up_changed(pool.name, *pool.seen.up);
}

PrometheusSource::PrometheusSource(const net::any_io_executor& executor, Clock& clock,
                                   std::map<std::string, Datasource> datasources, SourceHooks hooks,
                                   SourceLimits limits)
    : impl_(std::make_shared<Impl>(executor, clock, std::move(hooks), limits)) {
  impl_->configure(std::move(datasources));
}

PrometheusSource::~PrometheusSource() { impl_->stop(); }

void PrometheusSource::reconfigure(std::map<std::string, Datasource> datasources) {
  impl_->configure(std::move(datasources));
}

void PrometheusSource::ask(std::vector<Question> questions, Answered answered) {
  impl_->ask(std::move(questions), std::make_shared<const Answered>(std::move(answered)));
}

awaitable<Answer> PrometheusSource::ask_one(Question question) {
  const auto promise = std::make_shared<Promise<Answer>>(co_await net::this_coro::executor);
  std::vector<Question> questions;
  questions.push_back(std::move(question));
  ask(std::move(questions),
      [promise](std::size_t, Answer answer) { promise->set(std::move(answer)); });
  co_return co_await promise->get();
}

awaitable<Past> PrometheusSource::ask_past(PastQuestion question) {
  Question asked;
  asked.datasource = question.datasource;
  asked.query = question.query;
  asked.time = question.last;
  asked.range_from = question.first;
  asked.range_step = question.step;
  asked.last_answered = SysTime::max();  // everybody else has waited longer
  const Answer answer = co_await ask_one(std::move(asked));
  co_return past_of(question, answer);
}

awaitable<QueryCheck> PrometheusSource::check(std::string datasource, std::string query) {
  Question question;
  question.datasource = datasource;
  question.query = query;
  question.goes_first = true;
  const Answer answer = co_await ask_one(std::move(question));
  QueryCheck result;
  if (const auto* failure = std::get_if<QueryFailure>(&answer.result)) {
    const bool refused = failure->kind == FailureKind::kBadQuery;
    result.verdict = refused ? QueryCheck::Verdict::kRefused : QueryCheck::Verdict::kUnknown;
    result.message = failure->message;
  } else {
    result.verdict = QueryCheck::Verdict::kOk;
  }
  co_return result;
}

std::vector<std::string> PrometheusSource::header_names(const std::string& datasource) const {
  const Datasource* source = impl_->find(datasource);
  return source ? configured_headers(*source) : std::vector<std::string>{};
}

Millis PrometheusSource::ingestion_delay(const std::string& datasource) const {
  const Datasource* source = impl_->find(datasource);
  return source ? source->ingestion_delay : Millis{0};
}

std::optional<bool> PrometheusSource::up(const std::string& datasource) const {
  return impl_->up(datasource);
}

DatasourceReading PrometheusSource::reading(const std::string& datasource) const {
  return impl_->reading(datasource);
}

}  // namespace rollwatch
