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
constexpr Flag kJunit{"junit", FlagKind::kText, "FILE",
                      "write the conditions as test cases (JUnit XML), however it ends"};
constexpr Flag kGithub{"github", FlagKind::kSwitch, "",
                       "in a job of GitHub Actions: outputs, a summary and an annotation"};
constexpr Flag kYes{"yes", FlagKind::kSwitch, "", "ask nothing on a terminal"};

// What starting and checking have in common: what the queries are rendered with.
constexpr Flag kNamespace{"namespace", FlagKind::kText, "NAME", "(default: default)", "namespace"};
constexpr Flag kPolicy{"policy", FlagKind::kList, "NAME", "how it is analysed; may be repeated",
                       "policy"};
constexpr Flag kAnalysis{"analysis", FlagKind::kObject, "JSON",
                         "analysis settings over the policy's", "analysis"};
constexpr Flag kLabels{"labels", FlagKind::kPairs, "NAME=VALUE", "a label; may be repeated",
                       "labels"};
constexpr Flag kArgs{"args", FlagKind::kPairs, "NAME=VALUE",
                     "an argument of the queries; may be repeated", "args"};

constexpr std::array kStartFlags{
    kNamespace,
    Flag{"service", FlagKind::kText, "NAME", "what is rolled out", "service", true},
    Flag{"target", FlagKind::kText, "NAME", "where, such as a cluster (default: default)",
         "target"},
    Flag{"stable", FlagKind::kText, "VERSION", "the version to go back to", "stable"},
    Flag{"candidate", FlagKind::kText, "VERSION", "the new version", "candidate", true},
    kPolicy,
    kAnalysis,
    kLabels,
    kArgs,
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
    kJunit,
    kGithub,
};
constexpr std::array kWaitFlags{kTimeout, kJunit, kGithub};
constexpr std::array kListFlags{
    Flag{"state", FlagKind::kText, "STATE", "one state, or active for all that have not ended",
         "state", false,
         "active|waiting|analyzing|paused|promoting|soaking|rolling_back|promoted|rolled_back|"
         "rollback_failed|cancelled|superseded"},
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
    kLabels,
    Flag{"args", FlagKind::kPairs, "NAME=VALUE", "an argument; may be repeated", "args"},
};
constexpr std::array kNotifyTestFlags{
    Flag{"by", FlagKind::kText, "NAME", "who asks, as the message says (default: you@this host)",
         "by"},
};
constexpr std::array kConfirmFlags{kReason, kBy, kQuestion, kYes};
constexpr std::array kLogsFlags{
    Flag{"follow", FlagKind::kSwitch, "", "go on with what happens, until the rollout has ended"},
    Flag{"since", FlagKind::kDuration, "TIME", "with an ID: only the last such as 10m"},
    Flag{"after", FlagKind::kText, "SEQ", "without an ID: all after this event, 0 for every one"},
    Flag{"namespace", FlagKind::kText, "NAME", "without an ID: only of this one", "namespace"},
    Flag{"service", FlagKind::kText, "NAME", "without an ID: only of this one", "service"},
    Flag{"type", FlagKind::kList, "TYPE", "only events such as paused; may be repeated", "type"},
};
constexpr std::array kRedeliverFlags{
    Flag{"reason", FlagKind::kText, "TEXT", "why; it is recorded", "reason"},
    kBy,
};
constexpr std::array kLabelFlags{
    Flag{"reason", FlagKind::kText, "TEXT", "how it is known; it is recorded", "reason", true},
    Flag{"by", FlagKind::kText, "NAME", "who says so (default: you@this host)", "by"},
};
constexpr std::array kCheckFlags{
    kNamespace,
    Flag{"service", FlagKind::kText, "NAME", "what is looked at", "service", true},
    Flag{"target", FlagKind::kText, "NAME", "where (default: default)", "target"},
    Flag{"stable", FlagKind::kText, "VERSION", "the version it is compared with", "stable"},
    Flag{"candidate", FlagKind::kText, "VERSION", "the version that is judged", "candidate", true},
    kPolicy,
    kAnalysis,
    kLabels,
    kArgs,
    Flag{"condition", FlagKind::kText, "NAME", "only this one", "condition"},
};
constexpr std::array kCalibrateFlags{
    kNamespace,
    Flag{"service", FlagKind::kText, "NAME", "what is looked at", "service", true},
    Flag{"target", FlagKind::kText, "NAME", "where (default: default)", "target"},
    Flag{"stable", FlagKind::kText, "VERSION", "the version whose pods are compared", "stable",
         true},
    kPolicy,
    kAnalysis,
    kLabels,
    kArgs,
    Flag{"condition", FlagKind::kText, "NAME", "only this one", "condition"},
    Flag{"from", FlagKind::kText, "WHEN",
         "a time such as 2026-01-02T18:00:00Z, or how long ago, such as 7d (default: 24h)", "from"},
    Flag{"to", FlagKind::kText, "WHEN", "the same (default: now)", "to"},
};
constexpr std::array kTokenFlags{
    Flag{"scopes",
         FlagKind::kList,
         "SCOPE",
         "what it may do; may be repeated, or a,b",
         {},
         true,
         "read|register|decide|admin"},
    Flag{"namespaces", FlagKind::kList, "NAME", "where it may; may be repeated (default: all)"},
};
constexpr std::array kExportFlags{
    Flag{"since", FlagKind::kText, "WHEN",
         "only rollouts registered then or later, such as 2026-01-02T18:00:00Z, or 30d"},
    Flag{"namespace", FlagKind::kText, "NAME", "only of this one", "namespace"},
    Flag{"file", FlagKind::kText, "FILE", "write it there, whole or not at all"},
};
constexpr std::array kHelpFlags{
    Flag{"markdown", FlagKind::kSwitch, "", "everything, as in docs/cli.md"},
};

constexpr std::array kCommonFlags{
    Flag{"server", FlagKind::kText, "URL",
         "(default: $ROLLWATCH_SERVER, the context's or http://127.0.0.1:9797); of several, "
         "separated by commas, the next is tried when one does not answer"},
    Flag{"context", FlagKind::kText, "NAME",
         "of your configuration (default: $ROLLWATCH_CONTEXT or its current)"},
    Flag{"token-file", FlagKind::kText, "FILE",
         "the token is in it (default: $ROLLWATCH_TOKEN, $ROLLWATCH_TOKEN_FILE or the context's)"},
    Flag{"ca-file", FlagKind::kText, "FILE",
         "whose certificates a server may have (default: $ROLLWATCH_CA_FILE, the context's or the "
         "system's)"},
    Flag{"cert-file", FlagKind::kText, "FILE",
         "a certificate to show, for a server that asks (default: the context's)"},
    Flag{"key-file", FlagKind::kText, "FILE", "its key"},
    Flag{"insecure", FlagKind::kSwitch, "",
         "do not check the server's certificate: anybody between can read the token"},
    Flag{"output", FlagKind::kText, "FORMAT",
         "table or json; lists also jsonl; events table or jsonl"},
    Flag{"help", FlagKind::kSwitch, "", "explain the verb"},
};

constexpr std::array kVerbs{
    Verb{"start", "register a rollout", "", kStartFlags, run_start},
    Verb{"wait", "follow a rollout to its end", "ID", kWaitFlags, run_wait},
    Verb{"status", "show a rollout", "ID", {}, run_status},
    Verb{"list", "list rollouts, newest first", "", kListFlags, run_list, Formats::kList},
    Verb{"explain", "show why a decision was made", "ID", kExplainFlags, run_explain},
    Verb{"history",
         "show every evaluation and event, oldest first",
         "ID",
         {},
         run_history,
         Formats::kList},
    Verb{"logs", "show a rollout's events; without an ID, everybody's from now on", "[ID]",
         kLogsFlags, run_logs, Formats::kStream},
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
    Verb{"label",
         "say whether its promotion or rollback was right, for the record",
         "ID",
         kLabelFlags,
         run_label,
         Formats::kPage,
         {},
         false,
         "wrong|right"},
    Verb{"freeze", "hold a service's rollouts where they are, or everything; --lift ends it",
         "[NAMESPACE/SERVICE]", kFreezeFlags, run_freeze},
    Verb{"check", "evaluate conditions now, with no effect; 0: all pass, 2: one fails, 3: neither",
         "", kCheckFlags, run_check, Formats::kList},
    Verb{"calibrate",
         "how often stable itself would have been rolled back, each of its pods as a candidate of "
         "the past",
         "", kCalibrateFlags, run_calibrate, Formats::kList},
    Verb{"policy",
         "list the policies of the server",
         "",
         {},
         run_policy_list,
         Formats::kList,
         "list"},
    Verb{"policy",
         "show a policy, with the source of each value",
         "NAME",
         {},
         run_policy_show,
         Formats::kPage,
         "show"},
    Verb{"deliveries",
         "list a rollout's orders and notifications, with their attempts",
         "ID",
         {},
         run_deliveries_list,
         Formats::kList,
         "list"},
    Verb{"deliveries", "try a dead rollback or notification again", "DELIVERY", kRedeliverFlags,
         run_redeliver, Formats::kPage, "redeliver"},
    Verb{"orchestrator", "show what would be sent to it for each kind of order; sends nothing",
         "NAME", kTestFlags, run_orchestrator_test, Formats::kPage, "test"},
    Verb{"notify", "send a notifier a message that says it is a test, and show the raw answer",
         "NAME", kNotifyTestFlags, run_notify_test, Formats::kPage, "test"},
    Verb{"export", "write all history as JSON lines", "", kExportFlags, run_export, Formats::kOne},
    Verb{"token", "make a token, and what the server's configuration is to say of it", "NAME",
         kTokenFlags, run_token_new, Formats::kPage, "new", true},
    Verb{"context",
         "list the servers of your configuration",
         "",
         {},
         run_context_list,
         Formats::kList,
         "list",
         true},
    Verb{"context",
         "talk to that one from now on",
         "CONTEXT",
         {},
         run_context_use,
         Formats::kPage,
         "use",
         true},
    Verb{"context",
         "add one, from --server, --token-file, --ca-file, --cert-file and --key-file",
         "NAME",
         {},
         run_context_add,
         Formats::kPage,
         "add",
         true},
    Verb{"completion",
         "print what makes bash complete verbs, flags and ids",
         "",
         {},
         run_completion,
         Formats::kOne,
         "bash",
         true},
    Verb{"help", "explain a verb", "[VERB]", kHelpFlags, run_help, Formats::kOne, {}, true},
    Verb{"version", "print the version", "", {}, run_version, Formats::kPage, {}, true},
};

}  // namespace

std::span<const Verb> all_verbs() { return kVerbs; }

std::span<const Flag> common_flags() { return kCommonFlags; }

std::span<const Verb> verbs_named(std::string_view name) {
  const auto begin = std::ranges::find(kVerbs, name, &Verb::name);
  const auto end =
      std::find_if(begin, kVerbs.end(), [&](const Verb& verb) { return verb.name != name; });
  return {begin, end};
}

std::vector<std::string_view> output_names(const Verb& verb) {
  switch (verb.formats) {
    case Formats::kPage:
      return {"table", "json"};
    case Formats::kList:
      return {"table", "json", "jsonl"};
    case Formats::kStream:
      return {"table", "jsonl"};
    case Formats::kOne:
      break;
  }
  return {};
}

std::string called(const Verb& verb) {
  std::string text(verb.name);
  if (!verb.action.empty()) text += " " + std::string(verb.action);
  return text;
}

std::string written(const Verb& verb) {
  std::string text = called(verb);
  if (!verb.positional.empty()) text += " " + std::string(verb.positional);
  if (!verb.choice.empty()) text += " " + std::string(verb.choice);
  return text;
}

const Verb* find_verb(std::string_view name) {
  const auto found = std::ranges::find(kVerbs, name, &Verb::name);
  return found == kVerbs.end() ? nullptr : &*found;
}

const Flag* find_flag(std::span<const Flag> flags, std::string_view name) {
  const auto found = std::ranges::find(flags, name, &Flag::name);
  return found == flags.end() ? nullptr : &*found;
}

}  // namespace rollwatch
