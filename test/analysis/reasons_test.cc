// Every sentence a person can be shown about a rollout, as it is in test/golden/reasons.txt: what
// happened (events), why (decisions, questions, reasons, what it waits for: also on the way) and
// why not (refusals), and what each kind of slot showed. To change one on purpose, run with
// ROLLWATCH_WRITE_GOLDEN=1 and read the difference.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <tuple>

#include "analysis/judge.h"
#include "analysis/state_codec.h"
#include "test/analysis/rollout_fixture.h"
#include "test/analysis/rollout_invariants.h"

namespace rollwatch {
namespace {

using Change = void (*)(Plan&);

struct Story {
  const char* name;
  const char* words;
  Change change = nullptr;
  const char* orchestrator = "deployer";
  bool observe = false;
};

void soaks(Plan& plan) { plan.soak = duration("1h"); }
void pauses(Plan& plan) { plan.conditions[0].on_fail = OnFail::kPause; }
void observes(Plan& plan) {
  plan.conditions[0].on_fail = OnFail::kObserve;
  plan.conditions.push_back(condition("latency", "> 0.5"));
}
void counts_all(Plan& plan) {
  plan.conditions[0].within = kWithinAll;
  plan.conditions[0].fail_after = 2;
}
void is_between(Plan& plan) { threshold(plan.conditions[0]).rule.pass_if = comparison("< 0.02"); }
void rolls_back_unsure(Plan& plan) {
  is_between(plan);
  plan.on_inconclusive = OnInconclusive::kRollback;
}
void approves(Plan& plan) {
  plan.approve_start = plan.approve_promote = true;
  plan.steps[0].approve = true;
}
void late(Plan& plan) { plan.deadline = duration("1h"); }
void late_rolls_back(Plan& plan) {
  late(plan);
  plan.on_deadline = OnDeadline::kRollback;
}
void without_conditions(Plan& plan) { plan.conditions.clear(); }
void one_step(Plan& plan) { plan.steps = {{std::nullopt, duration("30s"), false}}; }
void ready(Plan& plan) { needs_three_ready(plan); }
void ready_or_pause(Plan& plan) {
  needs_three_ready(plan);
  plan.conditions.back().on_fail = OnFail::kPause;
}
void ready_or_back(Plan& plan) {
  needs_three_ready(plan);
  plan.conditions.back().on_fail = OnFail::kRollback;
}
void counts_events(Plan& plan) { counting_events(plan.conditions[0]); }
void wants_nine(Plan& plan) { plan.conditions[0].min_passes = 9; }
void ignores_missing(Plan& plan) { plan.conditions[0].on_no_data = OnMissing::kIgnore; }

// Each tells its own part of what can happen; together they tell all of it (see the end).
const Story kStories[] = {
    {"promoted", "begin ack pass*4 ack pass*5 ack"},
    {"promoted after a soak", "begin ack pass*4 ack pass*5 ack pass wait=2h", soaks},
    {"rolled back and recovered", "begin ack pass fail*3 accept ack pass*9 wait=10m"},
    {"rolled back and still bad", "begin ack pass fail*3 ack fail*9 wait=10m"},
    {"rolled back and not known", "begin ack pass fail*3 ack empty*9 wait=10m"},
    {"rolled back and never asked", "begin ack pass fail*3 ack wait=20m"},
    {"rolled back and followed", "begin ack pass fail*3 ack superseded"},
    {"rolled back by k of all", "begin ack fail pass fail", counts_all},
    {"rollback refused", "begin ack pass fail*3 refuse"},
    {"rollback expired", "begin ack pass fail*3 wait=8m expire"},
    {"failed rollback, sent again", "begin ack pass fail*3 refuse wait=6m send-again wait=2m ack"},
    {"failed rollback, failed again",
     "begin ack pass fail*3 refuse send-again accept expire wait=6m"},
    {"failed rollback, done late", "begin ack pass fail*3 expire late-ack"},
    {"failed rollback, followed", "begin ack pass fail*3 refuse superseded"},
    {"rolled back from the soak", "begin ack pass*4 ack pass*5 ack fail*3", soaks},
    {"paused by a condition", "begin ack pass fail*3 resume pause wait=31m", pauses},
    {"paused condition in the soak", "begin ack pass*4 ack pass*5 ack fail*3 pass",
     [](Plan& plan) {
       soaks(plan);
       pauses(plan);
     }},
    {"failed while an order was out", "begin ack pass*4 fail*3", pauses},
    {"failed behind a lost order that came late", "begin ack pass*4 expire fail*3 late-ack",
     pauses},
    {"paused with an order out", "begin ack pass*4 pause resume", pauses},
    {"would have paused", "begin ack pass promote fail*3", pauses},
    {"silent in the soak", "begin ack pass*4 ack pass*5 ack empty*40", soaks},
    {"observed only", "begin ack fail*3", observes},
    {"silent", "begin ack error*31 wait=31m pass"},
    {"silent, then empty", "begin ack error*31 empty*9 wait=31m pass"},
    {"empty", "begin ack empty*31"},
    {"inconclusive", "begin ack between*31", is_between},
    {"inconclusive rolls back", "begin ack between*31", rolls_back_unsure},
    {"few events", "begin ack few*9", counts_events},
    {"no events", "begin ack none*31", counts_events},
    {"approved three times", "resume begin ack pass*4 resume ack pass*5 resume ack", approves},
    {"deadline pauses", "begin ack wait=2h", late},
    {"deadline rolls back", "begin ack wait=1h", late_rolls_back},
    {"deadline in silence", "begin ack pass empty wait=1h", late_rolls_back},
    {"deadline while waiting", "wait=2h resume", late},
    {"nothing measured", "begin ack wait=31s ack wait=31s resume ack", without_conditions},
    {"one step", "begin pass*9 ack", one_step},
    {"order refused", "begin refuse resume"},
    {"order expired, then late", "begin expire late-ack"},
    {"promotion expired, then late", "begin ack pass promote expire late-ack"},
    {"order refused, and done all the same", "begin ack pass*4 refuse report=25"},
    {"step lengthened", "begin ack pass*4", wants_nine},
    {"step lengthened for want of answers", "begin ack pass*2 empty*3"},
    {"step lengthened by what is ignored", "begin ack empty*9", ignores_missing},
    {"step lengthened by failures", "begin ack pass*3 fail*2"},
    {"step lengthened by hand", "begin ack pass*4 extend=10m", wants_nine},
    {"soak lengthened", "begin ack pass*4 ack pass*5 ack extend=10m", soaks},
    {"wait lengthened", "ready:fail extend=10m", ready},
    {"by hand", "begin ack pass pause resume pass advance ack extend=10m promote promote ack"},
    {"by hand, rolled back", "begin ack pass rollback ack"},
    {"cancelled", "begin ack pass cancel"},
    {"cancelled without weights", "begin pass cancel", one_step},
    {"superseded", "begin ack pass superseded"},
    {"superseded in the soak", "begin ack pass*4 ack pass*5 ack superseded", soaks},
    {"observe", "begin ack", soaks, "deployer", true},
    {"asked, not told", "begin report=5 pass*4 report=25 pass*3", nullptr, ""},
    {"reported", "begin report=1 ack report=25 report=100", soaks},
    {"reported while rolling back", "begin ack pass fail*3 report=25 report=0"},
    {"reported gone", "begin ack pass report=0"},
    {"ready", "ready:fail ready:pass begin ack pass", ready},
    {"not ready", "ready:fail wait=1m wait=30s ready:fail wait=1m ack", ready},
    {"not known whether ready", "ready:empty wait=1m wait=30s ready:error wait=1m ready:pass begin",
     ready},
    {"not ready, an older one under way", "older ready:fail wait=1m wait=30s ready:fail wait=1m",
     ready},
    {"rolled back by hand, an older one under way", "older rollback"},
    {"an older one has ended", "older no-older begin"},
    {"begun without being ready", "ready:fail advance begin ack", ready},
    {"ready no longer, ignored", "ready:pass begin ack ready:fail*3", ready},
    {"ready no longer, paused", "ready:pass begin ack ready:fail*3 resume", ready_or_pause},
    {"ready no longer, rolled back", "ready:pass begin ack ready:fail*3", ready_or_back},
    {"ready no longer, behind a lost order",
     "ready:pass begin ack pass*4 expire ready:fail*3 late-ack", ready_or_pause},
    {"frozen", "begin ack pass*4 freeze late-ack thaw"},
    {"frozen before the first step", "begin freeze thaw"},
    {"frozen on the way to 100 %", "begin ack pass promote freeze thaw"},
    {"frozen before it begins", "freeze thaw begin"},
    {"everything frozen", "begin ack pass*3 freeze-all pass*3 thaw"},
    {"a newer one waits", "begin ack newer pass*5 no-newer pass"},
    {"a newer one waits past the deadline", "begin ack newer pass*5 wait=25h"},
    {"a newer one waits before the first step", "begin freeze newer thaw no-newer"},
    {"behind a rollback", "behind clear begin"},
    {"restarted", "begin ack pass away=5m"},
    {"the clock jumped", "begin ack pass jump=5m"},
};

// What a person may try in vain; after the story.
struct Refusal {
  const char* name;
  const char* words;
  DecisionKind kind;
  Change change = nullptr;
  const char* orchestrator = "deployer";
};

using enum DecisionKind;
const Refusal kRefusals[] = {
    {"advance before the approval", "", kAdvance, approves},
    {"advance before it begins", "", kAdvance},
    {"promote before it is ready", "ready:fail", kPromote, ready},
    {"promote before the approval", "", kPromote, approves},
    {"advance while it is frozen", "begin ack pass freeze", kAdvance},
    {"promote while it is frozen", "begin ack pass freeze", kPromote},
    {"a yes that would go on while it is frozen", "resume begin ack pass*4 freeze", kResume,
     approves},
    {"advance, an order being out", "begin", kAdvance},
    {"extend, an order being out", "begin", kExtend},
    {"extend on the way to 100 %", "begin ack pass promote", kExtend},
    {"advance without weights", "begin pass", kAdvance, one_step},
    {"advance without an orchestrator", "begin report=5 pass", kAdvance, nullptr, ""},
    {"pause twice", "begin ack pass pause", kPause},
    {"pause in the soak", "begin ack pass*4 ack pass*5 ack", kPause, soaks},
    {"resume nothing", "begin ack", kResume},
    {"anything while rolling back", "begin ack pass fail*3", kPromote},
    {"promote what has ended", "begin ack pass cancel", kPromote},
    {"roll back what has ended", "begin ack pass cancel", kRollback},
    {"roll back what failed to", "begin ack pass fail*3 refuse", kRollback},
    {"cancel what has ended", "begin ack pass cancel", kCancel},
    {"advance what has ended", "begin ack pass cancel", kAdvance},
    {"extend what has ended", "begin ack pass cancel", kExtend},
};

class Sentences {
 public:
  void section(const std::string& name) { lines_ << "\n[" << name << "]\n"; }
  // Where it is told first.
  void add(std::string_view kind, const std::string& text) {
    EXPECT_TRUE(is_sentence(text) && !text.empty()) << kind << ": " << text;
    if (told_.insert(text).second) lines_ << kind << ": " << text << "\n";
  }
  // How a story ends, so that one in which what its name says does not happen is seen.
  void end(const std::string& how) { lines_ << "ends: " << how << "\n"; }
  std::string text() const { return lines_.str(); }

 private:
  std::ostringstream lines_;
  std::set<std::string> told_;
};

std::set<EventType> add_story(Sentences& sentences, const Story& story) {
  Plan plan = error_rate();
  plan.recovery = duration("1m");
  if (story.change != nullptr) story.change(plan);
  Rollout r(std::move(plan), story.orchestrator, story.observe);
  sentences.section(story.name);
  std::set<EventType> seen;
  std::size_t told = 0;
  const auto tell = [&] {
    for (; told < r.events.size(); ++told) {
      seen.insert(r.events[told].type);
      sentences.add(name_of(r.events[told].type), r.events[told].summary);
    }
    sentences.add("reason", r.state.reason);
    if (r.state.state == State::kWaiting) sentences.add("waits for", r.state.waits_for.text());
    if (r.state.question) sentences.add("question", r.state.question->text);
  };
  tell();
  std::istringstream words(story.words);
  for (std::string word; words >> word;) {
    const auto star = word.find('*');
    const int times = star == std::string::npos ? 1 : std::stoi(word.substr(star + 1));
    for (int i = 0; i < times; ++i) {
      r.play(word.substr(0, star));
      tell();
    }
  }
  sentences.end(r.show());
  return seen;
}

// What each kind of slot showed, with all that was measured.
void add_slots(Sentences& sentences) {
  sentences.section("slots");
  int cause = 0;
  for (; is_known(static_cast<Cause>(cause)); ++cause) {
    Judgement j;
    j.cause = static_cast<Cause>(cause);
    j.value = j.cause == Cause::kBeyondLimit ? 0.09 : 0.01;
    j.rule = comparison("> 0.05");
    j.evidence = 12;
    j.min_evidence = 100;
    j.detail = "its own words";
    sentences.add(name_of(j.cause), describe(j));
    j.series = "{pod=\"a\"}";
    sentences.add(name_of(j.cause), describe(j));
  }
  Plan plan = error_rate();
  is_between(plan);
  Judgement between;
  between.cause = Cause::kBetweenLimits;
  between.value = 0.03;
  between.rule = comparison("< 0.02");
  sentences.add("between_limits", describe(between, plan.conditions[0]));
  between.series = "{pod=\"a\"}";
  sentences.add("between_limits", describe(between, plan.conditions[0]));
}

// What the orchestrator may report in vain.
void add_refused_reports(Sentences& sentences) {
  sentences.section("refused reports");
  const std::tuple<const char*, const char*, Change> rows[] = {
      {"before it begins", "ready:fail", ready},
      {"before the approval", "", approves},
      {"after the end", "begin ack pass cancel", nullptr},
      {"without weights", "begin pass", one_step},
  };
  for (const auto& [name, words, change] : rows) {
    Plan plan = error_rate();
    if (change != nullptr) change(plan);
    Rollout r(std::move(plan));
    r.play(words);
    sentences.add(name, r.report(25));
  }
}

std::string golden_path() { return std::string(ROLLWATCH_SOURCE_DIR) + "/test/golden/reasons.txt"; }

// The lines that differ, each with the story it belongs to.
std::string difference(const std::string& golden, const std::string& now) {
  std::istringstream a(golden), b(now);
  std::string line_a, line_b, story, text;
  for (int shown = 0; shown < 12;) {
    const bool more_a = static_cast<bool>(std::getline(a, line_a));
    const bool more_b = static_cast<bool>(std::getline(b, line_b));
    if (!more_a && !more_b) break;
    if (!line_b.empty() && line_b.front() == '[') story = line_b;
    if (line_a == line_b) continue;
    text += story + "\n  was: " + line_a + "\n  now: " + line_b + "\n";
    ++shown;
  }
  return text;
}

TEST(ReasonsTest, EverySentenceIsTheGoldenOne) {
  Sentences sentences;
  std::set<EventType> events;
  for (const Story& story : kStories) {
    SCOPED_TRACE(story.name);
    events.merge(add_story(sentences, story));
  }
  sentences.section("refused");
  for (const Refusal& row : kRefusals) {
    SCOPED_TRACE(row.name);
    Plan plan = error_rate();
    if (row.change != nullptr) row.change(plan);
    Rollout r(std::move(plan), row.orchestrator);
    r.play(row.words);
    sentences.add(row.name, r.person(row.kind));
  }
  for (const char* words : {"begin ack pass", "begin ack pass fail*3 refuse send-again",
                            "begin ack pass fail*3 refuse superseded"}) {
    Rollout r(error_rate());
    r.play(words);
    sentences.add("a rollback sent again in vain", r.send_again());
  }
  Rollout stale(error_rate());
  stale.play("begin ack pass pause");
  sentences.add("an answer to an earlier question", stale.person(kResume, "", "q7"));
  add_refused_reports(sentences);
  add_slots(sentences);
  sentences.section("registered by nobody named");
  const RolloutSpec nobodys;
  const Plan plan = error_rate();
  sentences.add("registered", registered({nobodys, plan}, SysTime{}).events.front().summary);

  // Labels are recorded beside a rollout, not by a step of it.
  events.insert(EventType::kLabelled);
  for (int i = 0; i <= static_cast<int>(kLastEventType); ++i)
    EXPECT_TRUE(events.contains(static_cast<EventType>(i)))
        << name_of(static_cast<EventType>(i)) << " is told by no story";

  if (std::getenv("ROLLWATCH_WRITE_GOLDEN") != nullptr) {
    std::ofstream(golden_path()) << sentences.text();
    FAIL() << "the golden file is written; read the difference, then run without the variable";
  }
  std::ifstream file(golden_path());
  const std::string golden((std::istreambuf_iterator<char>(file)), {});
  EXPECT_TRUE(golden == sentences.text()) << difference(golden, sentences.text());
}

}  // namespace
}  // namespace rollwatch
