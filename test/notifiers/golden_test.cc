// Every sentence a notifier tells people, as it is in test/golden/notices.txt: what an incoming
// webhook of Slack shows of each kind of event, and what is told once for many rollouts. To change
// one on purpose, run with ROLLWATCH_WRITE_GOLDEN=1 and read the difference.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "notifiers/shared_notice.h"
#include "notifiers/slack.h"
#include "test/analysis/rollout_fixture.h"
#include "test/analysis/rollout_invariants.h"

namespace rollwatch {
namespace {

class Golden {
 public:
  void section(const std::string& name) { lines_ << "\n[" << name << "]\n"; }
  // What is read on a phone's lock screen.
  void add(const std::string& name, const RolloutSpec& spec, const Notice& notice) {
    EXPECT_TRUE(is_sentence(notice.summary)) << name << ": " << notice.summary;
    const auto json = nlohmann::json::parse(slack_message(spec, notice, "http://rollwatch"));
    const std::string text = json.at("text").get<std::string>();
    EXPECT_FALSE(text.empty());
    lines_ << name << ": " << text << "\n";
  }
  std::string text() const { return lines_.str(); }

 private:
  std::ostringstream lines_;
};

RolloutSpec golden_checkout(const std::string& target = "eu-1") {
  RolloutSpec spec;
  spec.id = "ro_1";
  spec.ns = "payments";
  spec.service = "checkout";
  spec.target = target;
  spec.candidate = "1.24";
  return spec;
}

// The headline of each, with and without a sentence of its own.
void add_every_event(Golden& golden) {
  golden.section("every kind of event");
  for (int i = 0; i <= static_cast<int>(kLastEventType); ++i) {
    Event event;
    event.type = static_cast<EventType>(i);
    const std::string name(name_of(event.type));
    golden.add(name, golden_checkout(), notice_of(golden_checkout(), event));
    event.summary = "what happened, in one sentence";
    golden.add(name, golden_checkout("default"), notice_of(golden_checkout("default"), event));
  }
}

// As they come: the stories whose events are told by an incoming webhook.
void add_stories(Golden& golden) {
  using Change = void (*)(Plan&);
  const std::tuple<const char*, const char*, Change> rows[] = {
      {"rolled back", "begin ack pass fail*3 ack pass*9 wait=10m", nullptr},
      {"still bad", "begin ack pass fail*3 ack fail*9 wait=10m", nullptr},
      {"rollback refused", "begin ack pass fail*3 refuse", nullptr},
      {"rollback late", "begin ack pass fail*3 wait=8m expire", nullptr},
      {"silent", "begin ack error*31 wait=31m pass", nullptr},
      {"approved", "resume begin", [](Plan& plan) { plan.approve_start = true; }},
      {"not ready", "ready:fail wait=1m wait=30s ready:fail wait=1m ack", needs_three_ready},
      {"promoted", "begin ack pass*4 ack pass*5 ack", nullptr},
      {"cancelled", "begin ack pass cancel", nullptr},
      {"superseded", "begin ack pass superseded", nullptr},
  };
  for (const auto& [name, words, change] : rows) {
    Plan plan = error_rate();
    if (change != nullptr) change(plan);
    Rollout r(std::move(plan));
    r.play(words);
    golden.section(name);
    for (const Event& event : r.events)
      if (slack_webhook_tells(event))
        golden.add(std::string(name_of(event.type)), golden_checkout(),
                   notice_of(golden_checkout(), event));
  }
}

// A rollout that waits for its datasource: the step in which that began.
struct Waiting {
  explicit Waiting(RolloutSpec of, const std::string& detail = "no answer within 10s")
      : spec(std::move(of)), r(error_rate()) {
    r.play("begin ack pass");
    for (int i = 0; i < 30; ++i) r.error("error-rate");
    r.answer("error-rate",
             Answer{QueryFailure{FailureKind::kUnreachable, detail, 0}, {}, false, nullptr, {}});
    EXPECT_EQ(r.state.state, State::kPaused);
  }
  TakenStep step() const {
    return {spec, r.plan(), before, r.state, r.last.events, r.last.evaluations};
  }
  const Event& event(EventType type) const {
    for (const Event& e : r.last.events)
      if (e.type == type) return e;
    throw std::invalid_argument(std::string(name_of(type)));
  }

  RolloutSpec spec;
  Rollout r;
  RolloutState before;
};

void add_silences(Golden& golden, const std::string& name, const Waiting& waiting) {
  golden.section(name);
  const TakenStep step = waiting.step();
  const Event& paused = waiting.event(EventType::kPaused);
  Event note = paused, reminder = paused, resumed = paused;
  note.type = EventType::kNote;
  reminder.type = EventType::kReminder;
  resumed.type = EventType::kResumed;
  const SysTime since = paused.at - Millis{42 * 60'000 + 7'000};
  const std::string datasource = "default";
  for (const std::size_t waits : {1, 2, 300}) {
    golden.add("begins", waiting.spec, silence_begins(step, paused, datasource, waits));
    golden.add("goes on", waiting.spec, silence_goes_on(step, reminder, datasource, since, waits));
  }
  golden.add("begins in the soak", waiting.spec, silence_begins(step, note, datasource, 1));
  const std::pair<std::size_t, std::size_t> ends[] = {{1, 0}, {300, 0}, {0, 1},
                                                      {0, 2}, {1, 1},   {298, 2}};
  for (const auto& [went_on, waits] : ends)
    golden.add("ends", waiting.spec, silence_ends(resumed, datasource, since, went_on, waits));
  Event short_one = resumed;
  short_one.at = since + Millis{41'500};
  golden.add("ends soon", waiting.spec, silence_ends(short_one, datasource, since, 1, 0));
}

// A freeze told to a notifier that has this rollout, and its ends.
void add_freezes(Golden& golden, const std::string& name, const RolloutSpec& spec,
                 const FreezeRecord& frozen) {
  golden.section(name);
  const SysTime now = frozen.since;
  golden.add("frozen", spec, freeze_begins(spec, frozen, now));
  const auto shared_spec = std::make_shared<const RolloutSpec>(spec);
  FreezeRecord lifted = frozen;
  lifted.lifted_at = now;
  lifted.lifted_by = "ben";
  FreezeRecord with_words = lifted;
  with_words.lift_reason = frozen.reason;
  FreezeRecord other;
  other.by = "bob";
  other.reason = frozen.reason;
  for (const std::size_t concerned : {1, 3})
    golden.add("thawed", spec, freeze_ends(spec, lifted, now, {concerned, shared_spec}, {}));
  golden.add("thawed, with words", spec, freeze_ends(spec, with_words, now, {shared_spec}, {}));
  golden.add("its time was up", spec, freeze_ends(spec, frozen, now, {shared_spec}, {}));
  golden.add("still held", spec, freeze_ends(spec, lifted, now, {}, other));
}

FreezeRecord freeze_of(const RolloutSpec& spec, const std::string& reason) {
  FreezeRecord freeze;
  freeze.ns = spec.ns;
  freeze.service = spec.service;
  freeze.by = "ana";
  freeze.reason = reason;
  return freeze;
}

// Names, words and errors of the greatest length.
RolloutSpec long_named() {
  RolloutSpec spec = golden_checkout();
  spec.ns = std::string(253, 'n');
  spec.service = std::string(253, 's');
  spec.candidate = std::string(253, 'c');
  spec.target = std::string(253, 't');
  return spec;
}

std::string all_of_it() {
  Golden golden;
  add_every_event(golden);
  add_stories(golden);
  add_silences(golden, "a datasource gives no answers", Waiting(golden_checkout()));
  add_silences(golden, "in words too long", Waiting(long_named(), std::string(300, 'x')));
  add_freezes(golden, "a service is frozen", golden_checkout(),
              freeze_of(golden_checkout(), "stocktaking"));
  FreezeRecord everything;
  everything.by = "ana";
  everything.reason = "stocktaking";
  add_freezes(golden, "everything is frozen", golden_checkout("default"), everything);
  add_freezes(golden, "frozen in too many words", long_named(),
              freeze_of(long_named(), std::string(400, 'w')));
  return golden.text();
}

TEST(Golden, EveryNoticeIsTheGoldenOne) {
  const std::string path = std::string(ROLLWATCH_SOURCE_DIR) + "/test/golden/notices.txt";
  const std::string now = all_of_it();
  if (std::getenv("ROLLWATCH_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path) << now;
    FAIL() << "the golden file is written; read the difference, then run without the variable";
  }
  std::ifstream file(path);
  const std::string golden((std::istreambuf_iterator<char>(file)), {});
  std::istringstream was(golden), is(now);
  std::string line_was, line_is;
  for (int number = 1; std::getline(is, line_is); ++number) {
    line_was.clear();
    std::getline(was, line_was);
    ASSERT_EQ(line_was, line_is) << path << ":" << number;
  }
  EXPECT_EQ(golden, now);
}

}  // namespace
}  // namespace rollwatch
