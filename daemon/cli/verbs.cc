#include "daemon/cli/verbs.h"

#include <algorithm>
#include <array>

#include "daemon/cli/commands.h"

namespace rollwatch {
namespace {

constexpr Flag kTimeout{"timeout", FlagKind::kDuration, "TIME", "give up waiting after this long"};
constexpr Flag kReason{"reason", FlagKind::kText, "TEXT", "why; it is recorded and told", "reason"};
constexpr Flag kBy{"by", FlagKind::kText, "NAME", "who decides (default: you@this host)", "by"};
constexpr Flag kQuestion{"question", FlagKind::kText, "ID",
                         "the question this answers; refused if it is no longer open", "question"};
constexpr Flag kYes{"yes", FlagKind::kSwitch, "", "ask nothing on a terminal"};

constexpr std::array kStartFlags{
    Flag{"namespace", FlagKind::kText, "NAME", "(default: default)", "namespace"},
    Flag{"service", FlagKind::kText, "NAME", "what is rolled out", "service", true},
    Flag{"target", FlagKind::kText, "NAME", "where, such as a cluster (default: default)",
         "target"},
    Flag{"stable", FlagKind::kText, "VERSION", "the version to go back to", "stable"},
    Flag{"candidate", FlagKind::kText, "VERSION", "the new version", "candidate", true},
    Flag{"policy", FlagKind::kList, "NAME", "how it is analysed; may be repeated", "policy"},
    Flag{"analysis", FlagKind::kObject, "JSON", "analysis settings over the policy's", "analysis"},
    Flag{"labels", FlagKind::kPairs, "NAME=VALUE", "a label; may be repeated", "labels"},
    Flag{"args", FlagKind::kPairs, "NAME=VALUE", "an argument of the queries; may be repeated",
         "args"},
    Flag{"links", FlagKind::kPairs, "NAME=URL", "a link for people; may be repeated", "links"},
    Flag{"orchestrator", FlagKind::kText, "NAME", "who moves the traffic", "orchestrator"},
    Flag{"notify", FlagKind::kList, "NAME", "a notifier to tell; may be repeated", "notify"},
    Flag{"by", FlagKind::kText, "NAME", "who starts it (default: you@this host)", "by"},
    Flag{"attempt", FlagKind::kNumber, "N", "try again a candidate that was rolled back",
         "attempt"},
    Flag{"observe", FlagKind::kSwitch, "", "promote at once and only watch", "observe"},
    Flag{"idempotency-key", FlagKind::kText, "KEY", "the same key registers the same rollout once"},
    Flag{"wait", FlagKind::kSwitch, "", "follow it to its end"},
    kTimeout,
};
constexpr std::array kWaitFlags{kTimeout};
constexpr std::array kListFlags{
    Flag{"state", FlagKind::kText, "STATE", "one state, or active for all that have not ended",
         "state"},
    Flag{"namespace", FlagKind::kText, "NAME", "", "namespace"},
    Flag{"service", FlagKind::kText, "NAME", "", "service"},
    Flag{"target", FlagKind::kText, "NAME", "", "target"},
    Flag{"label", FlagKind::kPairs, "NAME=VALUE", "may be repeated", "label"},
    Flag{"limit", FlagKind::kNumber, "N", "at most so many (default: 50)"},
};
constexpr std::array kExplainFlags{
    Flag{"decision", FlagKind::kText, "ID", "an earlier decision (default: the latest)",
         "decision"},
};
constexpr std::array kDecideFlags{kReason, kBy, kQuestion};
constexpr std::array kExtendFlags{
    Flag{"for", FlagKind::kDuration, "TIME", "how much longer, such as 10m", "for", true},
    kReason,
    kBy,
    kQuestion,
};
constexpr std::array kFreezeFlags{
    Flag{"all", FlagKind::kSwitch, "", "everything, not one service"},
    kReason,
    kBy,
    Flag{"until", FlagKind::kText, "WHEN", "it ends by itself then, such as 2026-01-02T18:00:00Z"},
    Flag{"for", FlagKind::kDuration, "TIME", "it ends by itself after this long, such as 2h"},
    Flag{"lift", FlagKind::kSwitch, "", "end the freeze instead"},
};
constexpr std::array kTestFlags{
    Flag{"namespace", FlagKind::kText, "NAME", "of the example (default: default)", "namespace"},
    Flag{"service", FlagKind::kText, "NAME", "(default: example)", "service"},
    Flag{"target", FlagKind::kText, "NAME", "(default: default)", "target"},
    Flag{"stable", FlagKind::kText, "VERSION", "(default: 1.0)", "stable"},
    Flag{"candidate", FlagKind::kText, "VERSION", "(default: 1.1)", "candidate"},
    Flag{"labels", FlagKind::kPairs, "NAME=VALUE", "a label; may be repeated", "labels"},
    Flag{"args", FlagKind::kPairs, "NAME=VALUE", "an argument; may be repeated", "args"},
};
constexpr std::array kNotifyTestFlags{
    Flag{"by", FlagKind::kText, "NAME", "who asks, as the message says (default: you@this host)",
         "by"},
};
constexpr std::array kConfirmFlags{kReason, kBy, kQuestion, kYes};

constexpr std::array kCommonFlags{
    Flag{"server", FlagKind::kText, "URL", "(default: $ROLLWATCH_SERVER or http://127.0.0.1:9797)"},
    Flag{"output", FlagKind::kText, "FORMAT", "table or json; list and history also jsonl"},
    Flag{"help", FlagKind::kSwitch, "", "explain the verb"},
};

constexpr std::array kVerbs{
    Verb{"start", "register a rollout", "", kStartFlags, run_start},
    Verb{"wait", "follow a rollout to its end", "ID", kWaitFlags, run_wait},
    Verb{"status", "show a rollout", "ID", {}, run_status},
    Verb{"list", "list rollouts, newest first", "", kListFlags, run_list, true},
    Verb{"explain", "show why a decision was made", "ID", kExplainFlags, run_explain},
    Verb{"history", "show every evaluation and event, oldest first", "ID", {}, run_history, true},
    Verb{"advance", "go to the next step", "ID", kDecideFlags, run_decision},
    Verb{"promote", "go straight to 100 %", "ID", kConfirmFlags, run_decision},
    Verb{"pause", "stop the progress, not the watching", "ID", kDecideFlags, run_decision},
    Verb{"resume", "answer the open question with yes and begin the step afresh", "ID",
         kDecideFlags, run_decision},
    Verb{"rollback", "send the traffic back to the stable version", "ID", kConfirmFlags,
         run_decision},
    Verb{"cancel", "stop watching and leave the traffic as it is", "ID", kConfirmFlags,
         run_decision},
    Verb{"extend", "give the step, the soak or the wait to begin more time", "ID", kExtendFlags,
         run_decision},
    Verb{"freeze", "hold a service's rollouts where they are, or everything; --lift ends it",
         "[NAMESPACE/SERVICE]", kFreezeFlags, run_freeze},
    Verb{"orchestrator", "show what would be sent to it for each kind of order; sends nothing",
         "NAME", kTestFlags, run_orchestrator_test, false, "test"},
    Verb{"notify", "send a notifier a message that says it is a test, and show the raw answer",
         "NAME", kNotifyTestFlags, run_notify_test, false, "test"},
    Verb{"help", "explain a verb", "[VERB]", {}, run_help},
    Verb{"version", "print the version", "", {}, run_version},
};

}  // namespace

std::span<const Verb> all_verbs() { return kVerbs; }

std::span<const Flag> common_flags() { return kCommonFlags; }

const Verb* find_verb(std::string_view name) {
  const auto found = std::ranges::find(kVerbs, name, &Verb::name);
  return found == kVerbs.end() ? nullptr : &*found;
}

const Flag* find_flag(std::span<const Flag> flags, std::string_view name) {
  const auto found = std::ranges::find(flags, name, &Flag::name);
  return found == flags.end() ? nullptr : &*found;
}

}  // namespace rollwatch
