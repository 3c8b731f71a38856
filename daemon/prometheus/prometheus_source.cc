#include "daemon/prometheus/prometheus_source.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <deque>
#include <iterator>
#include <set>
#include <utility>

#include "daemon/prometheus/answer_parser.h"

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

Answer answer_of(const std::string& name, const Datasource& source, HttpResponse response) {
  const Millis duration = response.duration;
  Answer answer;
  if (response.error == HttpError::kNone) {
    const std::string content_type(response.header("content-type").value_or(""));
    auto body = std::make_shared<const std::string>(std::move(response.body));
    answer = parse_answer(name, response.status, content_type, std::move(body));
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

// Whether an answer shows that the server works; nothing if it says nothing about that. A query it
// refuses or cannot compute (400, 422) is not its fault.
std::optional<bool> shows_up(const Answer& answer) {
  const auto* failure = std::get_if<QueryFailure>(&answer.result);
  if (!failure) return true;
  switch (failure->kind) {
    case FailureKind::kNotAsked:
    case FailureKind::kOverload:
      return std::nullopt;
    case FailureKind::kBadQuery:
    case FailureKind::kTooLarge:
      return true;
    case FailureKind::kHttpStatus:
      return failure->http_status == 400 || failure->http_status == 422;
    default:
      return false;
  }
}

}  // namespace

std::string_view result_word(const Answer& answer) {
  const auto* failure = std::get_if<QueryFailure>(&answer.result);
  if (!failure) return answer.partial ? "partial" : "success";
  switch (failure->kind) {
    case FailureKind::kUnreachable:
      return "unreachable";
    case FailureKind::kTimeout:
      return "timeout";
    case FailureKind::kBadQuery:
      return "bad_query";
    case FailureKind::kHttpStatus:
      return "http_status";
    case FailureKind::kMalformed:
      return "malformed";
    case FailureKind::kTooLarge:
      return "too_large";
    case FailureKind::kNotAsked:
      return "not_asked";
    case FailureKind::kOverload:
      return "overload";
  }
  return "malformed";
}

class PrometheusSource::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const net::any_io_executor& executor, HttpClient& client, Clock& clock, SourceHooks hooks,
       SourceLimits limits)
      : executor_(executor),
        client_(client),
        clock_(clock),
        hooks_(std::move(hooks)),
        limits_(limits) {}

  void configure(std::map<std::string, Datasource> datasources);
  void ask(std::vector<Question> questions, std::shared_ptr<const Answered> answered);
  void stop() { stopped_ = true; }
  const Datasource* find(const std::string& name) const;
  std::optional<bool> up(const std::string& name) const;

 private:
  struct Waiting {
    Question question;
    std::size_t index = 0;
    std::shared_ptr<const Answered> answered;
    SteadyTime since{}, until{};
  };

  // One datasource: what is out, what waits, and how it was last seen.
  struct Pool {
    std::shared_ptr<const Datasource>
        source;  // null: configured no more, only its last questions are out
    int busy = 0;
    std::deque<Waiting> waiting;
    std::multiset<SteadyTime> alarms;  // of the sleepers that look after `waiting`
    std::optional<bool> up;
  };

  void later(std::function<void()> work);
  void send_next(const std::string& name);
  void send(const std::string& name, Waiting waiting);
  static int connections(const Pool& pool) {
    return pool.source ? std::max(1, pool.source->max_concurrency) : 0;
  }
  void give_up(const std::string& name, const Waiting& waiting);
  void expire(const std::string& name);
  void set_alarm(const std::string& name);
  void answer(const std::string& name, const Waiting& waiting, Answer answer);
  void note_up(const std::string& name, const Answer& answer);

  net::any_io_executor executor_;
  HttpClient& client_;
  Clock& clock_;
  const SourceHooks hooks_;
  const SourceLimits limits_;
  std::map<std::string, Pool> pools_;  // also of what was configured once, while questions are out
  bool stopped_ = false;
};

const Datasource* PrometheusSource::Impl::find(const std::string& name) const {
  const auto pool = pools_.find(name);
  return pool == pools_.end() ? nullptr : pool->second.source.get();
}

std::optional<bool> PrometheusSource::Impl::up(const std::string& name) const {
  return find(name) ? pools_.at(name).up : std::nullopt;
}

// Nothing of ours runs inside a caller, nor after the owner is gone.
void PrometheusSource::Impl::later(std::function<void()> work) {
  net::post(executor_, [self = shared_from_this(), work = std::move(work)] {
    if (!self->stopped_) work();
  });
}

void PrometheusSource::Impl::configure(std::map<std::string, Datasource> datasources) {
  for (auto& [name, pool] : pools_) pool.source.reset();
  for (auto& [name, source] : datasources) {
    pools_[name].source = std::make_shared<const Datasource>(std::move(source));
  }
  for (auto& [name, pool] : pools_) {
    if (!pool.source) pool.up.reset();
    if (!pool.waiting.empty()) later([this, name = name] { send_next(name); });
  }
}

void PrometheusSource::Impl::ask(std::vector<Question> questions,
                                 std::shared_ptr<const Answered> answered) {
  const SteadyTime now = clock_.steady();
  std::set<std::string> touched;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    Question& question = questions[i];
    const std::string name = question.datasource;
    const Datasource* source = find(name);
    Millis timeout = question.timeout;
    if (timeout == Millis{0} && source) timeout = source->timeout;
    pools_[name].waiting.push_back({std::move(question), i, answered, now, now + timeout});
    touched.insert(name);
  }
  later([this, touched = std::move(touched)] {
    for (const std::string& name : touched) {
      send_next(name);
      set_alarm(name);
    }
  });
}

void PrometheusSource::Impl::send_next(const std::string& name) {
  Pool& pool = pools_[name];
  while (!pool.waiting.empty()) {
    const bool configured = pool.source != nullptr;
    const bool late = pool.waiting.front().until - clock_.steady() < Millis{1};
    if (configured && !late && pool.busy >= connections(pool)) return;
    Waiting next = std::move(pool.waiting.front());
    pool.waiting.pop_front();
    if (!configured) {
      answer(name, next,
             failed(FailureKind::kNotAsked, "datasource " + name + " is not configured"));
    } else if (late) {
      give_up(name, next);
    } else {
      ++pool.busy;
      send(name, std::move(next));
    }
  }
  if (!pool.source && pool.busy == 0 && pool.alarms.empty()) pools_.erase(name);
}

void PrometheusSource::Impl::send(const std::string& name, Waiting waiting) {
  const auto left = std::chrono::floor<Millis>(waiting.until - clock_.steady());
  HttpRequest request =
      query_request(*pools_[name].source, waiting.question.query, waiting.question.time, left);
  request.max_answer = limits_.answer_bytes;
  auto work = [self = shared_from_this(), name, source = pools_[name].source,
               waiting = std::move(waiting), request = std::move(request)]() -> awaitable<void> {
    HttpResponse response = co_await self->client_.send(request);
    if (self->stopped_) co_return;
    --self->pools_[name].busy;
    Answer parsed = answer_of(name, *source, std::move(response));
    self->note_up(name, parsed);
    self->answer(name, waiting, std::move(parsed));
    self->later([impl = self.get(), name] { impl->send_next(name); });
  };
  spawn(executor_, "query " + name, std::move(work));
}

void PrometheusSource::Impl::give_up(const std::string& name, const Waiting& waiting) {
  const auto waited = std::chrono::floor<Millis>(clock_.steady() - waiting.since);
  answer(name, waiting,
         failed(FailureKind::kOverload,
                "waited " + format_duration(waited) + " for a free connection: all " +
                    std::to_string(connections(pools_[name])) + " of datasource " + name +
                    " (max_concurrency) are busy",
                waited));
}

// Gives up what has waited for its whole timeout, wherever in the queue it stands.
void PrometheusSource::Impl::expire(const std::string& name) {
  std::deque<Waiting>& waiting = pools_[name].waiting;
  const auto late = std::stable_partition(
      waiting.begin(), waiting.end(),
      [now = clock_.steady()](const Waiting& one) { return now < one.until; });
  const std::vector<Waiting> expired(std::make_move_iterator(late),
                                     std::make_move_iterator(waiting.end()));
  waiting.erase(late, waiting.end());
  for (const Waiting& one : expired) give_up(name, one);
}

// Sees to it that somebody wakes when the first of those that wait has waited long enough. A
// sleeper that is out cannot be called back, so there is one more only if it is needed earlier.
void PrometheusSource::Impl::set_alarm(const std::string& name) {
  const auto found = pools_.find(name);
  if (found == pools_.end() || found->second.waiting.empty()) return;
  Pool& pool = found->second;
  const auto earlier = [](const Waiting& a, const Waiting& b) { return a.until < b.until; };
  const SteadyTime first =
      std::min_element(pool.waiting.begin(), pool.waiting.end(), earlier)->until;
  if (!pool.alarms.empty() && *pool.alarms.begin() <= first) return;
  pool.alarms.insert(first);
  spawn(executor_, "queue of " + name,
        [self = shared_from_this(), name, first]() -> awaitable<void> {
          co_await self->clock_.sleep(std::chrono::ceil<Millis>(first - self->clock_.steady()));
          if (self->stopped_) co_return;
          std::multiset<SteadyTime>& alarms = self->pools_[name].alarms;
          alarms.erase(alarms.find(first));
          self->expire(name);
          self->set_alarm(name);
        });
}

void PrometheusSource::Impl::answer(const std::string& name, const Waiting& waiting,
                                    Answer answer) {
  if (hooks_.query_finished) hooks_.query_finished(name, result_word(answer), answer.duration);
  (*waiting.answered)(waiting.index, std::move(answer));
}

void PrometheusSource::Impl::note_up(const std::string& name, const Answer& answer) {
  Pool& pool = pools_[name];
  const std::optional<bool> up = shows_up(answer);
  if (!up || !pool.source || pool.up == up) return;
  pool.up = up;
  if (hooks_.up_changed) hooks_.up_changed(name, *up);
}

PrometheusSource::PrometheusSource(const net::any_io_executor& executor, HttpClient& client,
                                   Clock& clock, std::map<std::string, Datasource> datasources,
                                   SourceHooks hooks, SourceLimits limits)
    : impl_(std::make_shared<Impl>(executor, client, clock, std::move(hooks), limits)) {
  impl_->configure(std::move(datasources));
}

PrometheusSource::~PrometheusSource() { impl_->stop(); }

void PrometheusSource::reconfigure(std::map<std::string, Datasource> datasources) {
  impl_->configure(std::move(datasources));
}

void PrometheusSource::ask(std::vector<Question> questions, Answered answered) {
  impl_->ask(std::move(questions), std::make_shared<const Answered>(std::move(answered)));
}

awaitable<QueryCheck> PrometheusSource::check(std::string datasource, std::string query) {
  const auto promise = std::make_shared<Promise<Answer>>(co_await net::this_coro::executor);
  std::vector<Question> questions(1);
  questions[0].datasource = datasource;
  questions[0].query = query;
  ask(std::move(questions),
      [promise](std::size_t, Answer answer) { promise->set(std::move(answer)); });
  const Answer answer = co_await promise->get();
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

}  // namespace rollwatch
