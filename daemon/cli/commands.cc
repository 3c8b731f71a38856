#include "daemon/cli/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/cli/completion.h"
#include "daemon/cli/explain.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/follow.h"
#include "daemon/cli/help.h"
#include "daemon/cli/render.h"
#include "daemon/cli/reports.h"
#include "daemon/cli/requests.h"
#include "daemon/cli/results.h"

namespace rollwatch {
namespace {

using nlohmann::json;

constexpr long kListedByDefault = 50;
// A verb that registers or follows, with the parts that both need.
class Following {
 public:
  Following(const Invocation& call, Surroundings& surroundings)
      : call_(call),
        surroundings_(surroundings),
        view_(make_progress_view(surroundings)),
        link_(
            surroundings, [this](const std::string& text) { view_->note(text); },
            deadline_of(call, surroundings)) {
    surroundings_.pace.catch_interrupts();
    surroundings_.pace.on_tick([this] { view_->tick(); });
  }
  Following(const Following&) = delete;
  Following& operator=(const Following&) = delete;
  ~Following() { surroundings_.pace.on_tick(nullptr); }

  ServerLink& link() { return link_; }
  void say(const std::string& text) { view_->say(text); }

  int to_the_end(const std::string& id, json rollout = nullptr) {
    const ExitCode end = follow(id, link_, *view_, surroundings_, rollout);
    if (!rollout.is_null()) print(call_, surroundings_.out, rollout, result_line(rollout) + "\n");
    return reported(rollout, end);
  }

  int reported(const json& rollout, ExitCode end) {
    return write_reports(call_, surroundings_, rollout, end);
  }

 private:
  static std::optional<Pace::Steady> deadline_of(const Invocation& call,
                                                 Surroundings& surroundings) {
    const auto timeout = call.duration("timeout");
    if (!timeout) return std::nullopt;
    return surroundings.pace.steady() + *timeout;
  }

  const Invocation& call_;
  Surroundings& surroundings_;
  std::unique_ptr<ProgressView> view_;
  ServerLink link_;
};

// What the server took all the same, such as queries it could not check.
std::vector<std::string> warnings_of(const json& rollout) {
  std::vector<std::string> lines;
  for (const auto& warning : child_at(rollout, "warnings"))
    lines.push_back("warning: " + text_of(warning));
  return lines;
}

int start_and_wait(const Invocation& call, Surroundings& surroundings) {
  if (const std::string problem = report_problem(call); !problem.empty())
    return usage_failure(surroundings.err, problem);
  Following following(call, surroundings);
  const auto answer = following.link().ask(start_request(call, surroundings.who));
  if (!answer) {
    if (answer.error() != ExitCode::kFailed) {
      surroundings.err
          << "rollwatch: ended before the server said that the rollout is registered\n";
    }
    return following.reported(nullptr, answer.error());
  }
  const auto rollout = json::parse(answer->body, nullptr, false);
  const std::string id = text_at(rollout, "id");
  if (id.empty()) {
    surroundings.err << "rollwatch: the server's answer has no id; is --server right?\n";
    return following.reported(nullptr, ExitCode::kFailed);
  }
  constexpr int kCreated = 201;
  following.say(fmt::format("{} {}: {}",
                            answer->status == kCreated ? "registered" : "already registered", id,
                            rollout_name(rollout)));
  for (const std::string& line : warnings_of(rollout)) following.say(line);
  return following.to_the_end(id, rollout);
}

// Says what a verb with --yes will do and asks; true to go on.
bool confirmed(const Invocation& call, Surroundings& surroundings) {
  const auto rollout = fetch(rollout_request(call.positional), surroundings);
  if (!rollout) return false;
  surroundings.err << consequence(call.verb->name, *rollout) << "\n";
  const auto answer = ask(fmt::format("{}? [y/N] ", call.verb->name), surroundings);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  surroundings.err << "nothing done\n";
  return false;
}

}  // namespace

int run_start(const Invocation& call, Surroundings& surroundings) {
  if (call.has("wait")) return start_and_wait(call, surroundings);
  for (const char* flag : {"timeout", "junit", "github"}) {
    if (call.has(flag))
      return usage_failure(surroundings.err, fmt::format("--{} needs --wait", flag));
  }
  const auto rollout = fetch(start_request(call, surroundings.who), surroundings);
  if (!rollout) return code(ExitCode::kFailed);
  surroundings.err << fmt::format("{}: {}\n", rollout_name(*rollout), progress_text(*rollout));
  for (const std::string& line : warnings_of(*rollout)) surroundings.err << line << "\n";
  print(call, surroundings.out, *rollout, text_at(*rollout, "id") + "\n");
  return 0;
}

int run_wait(const Invocation& call, Surroundings& surroundings) {
  if (const std::string problem = report_problem(call); !problem.empty())
    return usage_failure(surroundings.err, problem);
  return Following(call, surroundings).to_the_end(call.positional);
}

int run_status(const Invocation& call, Surroundings& surroundings) {
  const auto rollout = fetch(rollout_request(call.positional), surroundings);
  if (!rollout) return code(ExitCode::kFailed);
  print(call, surroundings.out, *rollout, status_text(*rollout));
  return 0;
}

int run_list(const Invocation& call, Surroundings& surroundings) {
  const auto rollouts = fetch_pages(
      [&](long limit, const std::string& cursor) { return list_request(call, limit, cursor); },
      call.number("limit").value_or(kListedByDefault), surroundings);
  if (!rollouts) return code(ExitCode::kFailed);
  print(call, surroundings.out, {{"items", *rollouts}}, list_text(*rollouts));
  return 0;
}

int run_explain(const Invocation& call, Surroundings& surroundings) {
  const auto bundle = fetch(explain_request(call), surroundings);
  if (!bundle) return code(ExitCode::kFailed);
  print(call, surroundings.out, *bundle, explain_text(*bundle));
  return 0;
}

int run_history(const Invocation& call, Surroundings& surroundings) {
  std::vector<json> entries;
  for (const auto& [below, kind] :
       {std::pair{"/evaluations", "evaluation"}, {"/events", "event"}}) {
    const auto part = fetch_all(call.positional, below, surroundings);
    if (!part) return code(ExitCode::kFailed);
    for (json entry : *part) {
      entry["kind"] = kind;
      entries.push_back(std::move(entry));
    }
  }
  // An evaluation stands before the events it caused; times of one format sort as text.
  const auto moment = [](const json& entry) {
    if (std::string at = text_at(entry, "at"); !at.empty()) return at;
    std::string evaluated = text_at(entry, "evaluated_at");
    return evaluated.empty() ? text_at(entry, "slot") : evaluated;
  };
  std::ranges::stable_sort(entries, {}, moment);
  print(call, surroundings.out, {{"items", entries}}, history_text(json(entries)));
  return 0;
}

int run_decision(const Invocation& call, Surroundings& surroundings) {
  const Verb& verb = *call.verb;
  std::optional<std::string> reason = call.text("reason");
  const bool asks = surroundings.terminal.can_ask && !call.has("yes");
  if (asks && find_flag(verb.flags, "yes") != nullptr && !confirmed(call, surroundings)) {
    return code(ExitCode::kFailed);
  }
  // A person is asked why; a script, or who said --yes in an emergency, is not held up by it.
  if (!reason && asks) {
    reason = ask("reason: ", surroundings);
    if (!reason || reason->empty()) {
      surroundings.err << "rollwatch: nothing done; say why\n";
      return code(ExitCode::kFailed);
    }
  }
  const auto rollout =
      fetch(decision_request(call, reason.value_or(""), surroundings.who), surroundings);
  if (!rollout) return code(ExitCode::kFailed);
  print(call, surroundings.out, *rollout, result_line(*rollout) + "\n");
  return 0;
}

int run_freeze(const Invocation& call, Surroundings& surroundings) {
  std::optional<std::string> reason = call.text("reason");
  const auto asked = freeze_request(call, "-", surroundings.who, surroundings.pace.wall());
  if (!asked) return usage_failure(surroundings.err, asked.error());
  if (!reason && !call.has("lift")) {
    if (!surroundings.terminal.can_ask)
      return usage_failure(surroundings.err, "freeze needs --reason TEXT: people will ask why");
    reason = ask("reason: ", surroundings);
    if (!reason || reason->empty()) {
      surroundings.err << "rollwatch: nothing done; say why\n";
      return code(ExitCode::kFailed);
    }
  }
  const auto request =
      freeze_request(call, reason.value_or(""), surroundings.who, surroundings.pace.wall());
  const auto freeze = fetch(*request, surroundings);
  if (!freeze) return code(ExitCode::kFailed);
  print(call, surroundings.out, *freeze, freeze_text(*freeze));
  return 0;
}

int run_orchestrator_test(const Invocation& call, Surroundings& surroundings) {
  const auto preview = fetch(orchestrator_test_request(call), surroundings);
  if (!preview) return code(ExitCode::kFailed);
  print(call, surroundings.out, *preview, preview_text(*preview));
  return 0;
}

int run_notify_test(const Invocation& call, Surroundings& surroundings) {
  const auto answer = fetch(notify_test_request(call, surroundings.who), surroundings);
  if (!answer) return code(ExitCode::kFailed);
  print(call, surroundings.out, *answer, notify_test_text(*answer));
  return text_at(*answer, "outcome") == "done" ? 0 : code(ExitCode::kFailed);
}

int run_completion(const Invocation&, Surroundings& surroundings) {
  surroundings.out << bash_completion();
  return 0;
}

int run_help(const Invocation& call, Surroundings& surroundings) {
  if (call.has("markdown")) {
    surroundings.out << reference();
    return 0;
  }
  const Verb* verb = call.verb;
  if (verb != nullptr && verb->name == "help" && !call.positional.empty()) {
    verb = find_verb(call.positional);
    if (verb == nullptr) return usage_failure(surroundings.err, no_such_verb(call.positional));
  }
  const bool whole = verb == nullptr || verb->name == "help";
  surroundings.out << (whole ? overview_help() : verb_help(*verb));
  return 0;
}

int run_version(const Invocation& call, Surroundings& surroundings) {
  print(call, surroundings.out, {{"version", ROLLWATCH_VERSION}},
        "rollwatch " ROLLWATCH_VERSION "\n");
  return 0;
}

int usage_failure(std::ostream& err, const std::string& message) {
  err << fmt::format("rollwatch: {}\nsee rollwatch --help\n", message);
  return code(ExitCode::kUsage);
}

}  // namespace rollwatch
