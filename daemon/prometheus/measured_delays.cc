#include "daemon/prometheus/measured_delays.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "daemon/prometheus/ingestion_lag.h"

namespace rollwatch {

namespace {

// From one look to the next: this and up to as much as kSpread more.
constexpr Millis kLookEvery{50'000};
constexpr Millis kSpread{20'000};
// Until the first measurement: a delay that is too short asks for what is not there yet.
constexpr Millis kFirstEvery{5'000};
constexpr Millis kFirstSpread{5'000};
constexpr int kFirstFailures = 12;  // then it is no start any more

}  // namespace

class MeasuredDelays::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(net::any_io_executor executor, Clock& clock, MetricsSource& source,
       std::function<double()> random, DelayHooks hooks)
      : executor_(std::move(executor)),
        clock_(clock),
        source_(source),
        random_(std::move(random)),
        hooks_(std::move(hooks)) {}

  void measure(const std::set<std::string>& datasources);
  awaitable<void> first_looks(Millis limit);
  std::optional<Millis> delay_of(const std::string& name) const;
  MetricsSource& source() const { return source_; }

 private:
  struct Measured {
    IngestionLag lag;
    bool looked = false;  // whatever came of it
    bool told = false;    // that nothing can be measured
    int failures = 0;     // of the first looks
    unsigned turn = 0;    // of the looks that go on; others end
  };

  // What is measured in this turn; null if it is not any more.
  Measured* find(const std::string& name, unsigned turn);
  awaitable<void> keep_looking(std::string name, unsigned turn);
  awaitable<Answer> ask_lag(std::string name, SysTime now);
  // Whether to look again soon.
  bool take(const std::string& name, Measured& measured, const Answer& answer, SysTime asked_for);
  Millis pause(bool short_one);

  void tell_if_all_looked();

  net::any_io_executor executor_;
  Clock& clock_;
  MetricsSource& source_;
  std::function<double()> random_;
  const DelayHooks hooks_;
  std::map<std::string, Measured> measured_;
  unsigned turns_ = 0;
  std::vector<std::shared_ptr<Promise<bool>>> waiting_;  // for the first looks
};

void MeasuredDelays::Impl::measure(const std::set<std::string>& datasources) {
  std::erase_if(measured_, [&](const auto& one) { return !datasources.contains(one.first); });
  for (const std::string& name : datasources) {
    const auto [one, is_new] = measured_.try_emplace(name);
    if (!is_new) continue;
    one->second.turn = ++turns_;
    spawn(executor_, "ingestion delay of " + name,
          [self = shared_from_this(), name, turn = one->second.turn] {
            return self->keep_looking(name, turn);
          });
  }
  tell_if_all_looked();
}

void MeasuredDelays::Impl::tell_if_all_looked() {
  if (!std::ranges::all_of(measured_, [](const auto& one) { return one.second.looked; })) return;
  for (const auto& waiting : std::exchange(waiting_, {})) waiting->set(true);
}

awaitable<void> MeasuredDelays::Impl::first_looks(Millis limit) {
  const auto looked = std::make_shared<Promise<bool>>(executor_);
  waiting_.push_back(looked);
  tell_if_all_looked();
  if (!looked->is_set()) {
    spawn(executor_, "limit of the first looks",
          [&clock = clock_, looked, limit]() -> awaitable<void> {
            co_await clock.sleep(limit);
            looked->set(false);
          });
  }
  co_await looked->get();
}

std::optional<Millis> MeasuredDelays::Impl::delay_of(const std::string& name) const {
  const auto found = measured_.find(name);
  return found == measured_.end() ? std::nullopt : std::optional(found->second.lag.delay());
}

MeasuredDelays::Impl::Measured* MeasuredDelays::Impl::find(const std::string& name, unsigned turn) {
  const auto found = measured_.find(name);
  return found == measured_.end() || found->second.turn != turn ? nullptr : &found->second;
}

awaitable<void> MeasuredDelays::Impl::keep_looking(std::string name, unsigned turn) {
  while (find(name, turn) != nullptr) {
    const SysTime asked_for = clock_.wall();
    const Answer answer = co_await ask_lag(name, asked_for);
    Measured* measured = find(name, turn);
    if (measured == nullptr) co_return;
    const bool soon = take(name, *measured, answer, asked_for);
    measured->looked = true;
    tell_if_all_looked();
    co_await clock_.sleep(pause(soon));
  }
}

awaitable<Answer> MeasuredDelays::Impl::ask_lag(std::string name, SysTime now) {
  const auto promise = std::make_shared<Promise<Answer>>(executor_);
  std::vector<Question> questions(1);
  questions[0].datasource = name;
  questions[0].query = lag_query();
  questions[0].time = now;
  source_.ask(std::move(questions),
              [promise](std::size_t, Answer answer) { promise->set(std::move(answer)); });
  co_return co_await promise->get();
}

Millis MeasuredDelays::Impl::pause(bool short_one) {
  const Millis spread = short_one ? kFirstSpread : kSpread;
  const double more = static_cast<double>(spread.count()) * random_();
  return (short_one ? kFirstEvery : kLookEvery) + Millis{static_cast<Millis::rep>(more)};
}

bool MeasuredDelays::Impl::take(const std::string& name, Measured& measured, const Answer& answer,
                                SysTime asked_for) {
  if (std::holds_alternative<QueryFailure>(answer.result)) {  // told by whoever asked
    measured.lag.away();
    return !measured.lag.is_known() && ++measured.failures <= kFirstFailures;
  }
  const auto lag = lag_of(answer);
  if (!lag) {
    measured.lag.away();
    if (!std::exchange(measured.told, true) && hooks_.nothing_to_measure)
      hooks_.nothing_to_measure(name);
    return false;
  }
  measured.told = false;
  const Millis before = measured.lag.delay();
  measured.lag.seen(*lag, asked_for);
  const Millis after = measured.lag.delay();
  if (after != before && hooks_.changed) hooks_.changed(name, before, after);
  return !measured.lag.is_known();
}

MeasuredDelays::MeasuredDelays(net::any_io_executor executor, Clock& clock, MetricsSource& source,
                               std::function<double()> random, DelayHooks hooks)
    : impl_(std::make_shared<Impl>(std::move(executor), clock, source, std::move(random),
                                   std::move(hooks))) {}

MeasuredDelays::~MeasuredDelays() { stop(); }

void MeasuredDelays::measure(const std::set<std::string>& datasources) {
  impl_->measure(datasources);
}

void MeasuredDelays::stop() { impl_->measure({}); }

awaitable<void> MeasuredDelays::first_looks(Millis limit) { return impl_->first_looks(limit); }

void MeasuredDelays::ask(std::vector<Question> questions, Answered answered) {
  impl_->source().ask(std::move(questions), std::move(answered));
}

awaitable<Past> MeasuredDelays::ask_past(PastQuestion question) {
  return impl_->source().ask_past(std::move(question));
}

awaitable<QueryCheck> MeasuredDelays::check(std::string datasource, std::string query) {
  return impl_->source().check(std::move(datasource), std::move(query));
}

std::vector<std::string> MeasuredDelays::header_names(const std::string& datasource) const {
  return impl_->source().header_names(datasource);
}

Millis MeasuredDelays::ingestion_delay(const std::string& datasource) const {
  const auto measured = impl_->delay_of(datasource);
  return measured ? *measured : impl_->source().ingestion_delay(datasource);
}

}  // namespace rollwatch
