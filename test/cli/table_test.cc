// What is read from the table of verbs: actions, help, completion, the reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "daemon/cli/arguments.h"
#include "daemon/cli/completion.h"
#include "daemon/cli/help.h"
#include "daemon/cli/verbs.h"
#include "test/support/process.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

TEST(Table, ActionsAreChosenByTheirWord) {
  struct Row {
    std::vector<std::string> words;
    const char* called;
    const char* positional;
  };
  const Row rows[] = {
      {{"deliveries", "list", "ro_1"}, "deliveries list", "ro_1"},
      {{"deliveries", "redeliver", "ord_1", "--reason", "x"}, "deliveries redeliver", "ord_1"},
      {{"label", "ro_1", "wrong", "--reason", "x"}, "label", "ro_1"},
      {{"label", "--reason=x", "ro_1", "right"}, "label", "ro_1"},
      {{"deliveries", "--reason=x", "redeliver", "ord_1"}, "deliveries redeliver", "ord_1"},
      {{"policy", "list"}, "policy list", ""},
      {{"policy", "show", "list"}, "policy show", "list"},
      {{"context", "--server=http://h", "add", "x"}, "context add", "x"},
      {{"completion", "bash"}, "completion bash", ""},
  };
  for (const Row& row : rows) {
    const auto call = parse_arguments(row.words);
    ASSERT_TRUE(call.has_value()) << row.called << ": " << call.error().message;
    EXPECT_EQ(called(*call->verb), row.called);
    EXPECT_EQ(call->positional, row.positional) << row.called;
  }
}

TEST(Table, WrongActionsAreExplained) {
  struct Row {
    std::vector<std::string> words;
    const char* message;
  };
  const Row rows[] = {
      {{"deliveries"}, "deliveries needs one of: list ID, redeliver DELIVERY"},
      {{"label", "ro_1", "--reason=x"},
       "label needs wrong or right: rollwatch label ID wrong|right"},
      {{"label", "ro_1", "bad", "--reason=x"}, "label takes wrong or right, not 'bad'"},
      {{"label", "ro_1", "wrong", "right", "--reason=x"}, "label does not take 'right'"},
      {{"label", "ro_1", "wrong"}, "label needs --reason TEXT"},
      {{"completion"}, "completion needs bash"},
      {{"deliveries", "lsit", "ro_1"}, "deliveries does not know 'lsit'; did you mean 'list'?"},
      {{"deliveries", "list"}, "deliveries list needs the ID of a rollout"},
      {{"policy", "show"}, "policy show needs a NAME: rollwatch policy show NAME"},
      {{"policy", "list", "x"}, "policy list does not take 'x'"},
      {{"deliveries", "--reason=x", "list", "ro_1"}, "deliveries list has no flag --reason"},
      {{"deliveries", "redeliver", "ord_1", "--reson=x"},
       "deliveries redeliver has no flag --reson; did you mean '--reason'?"},
      {{"token", "new", "ci"}, "token new needs --scopes SCOPE"},
      {{"export", "--output=json"}, "export has one form only; leave --output out"},
      {{"logs", "--output=json"}, "logs cannot answer --output json; it knows table and jsonl"},
      {{"describe", "ro_1"}, "no verb 'describe'; did you mean 'status'?"},
  };
  for (const Row& row : rows) {
    const auto call = parse_arguments(row.words);
    ASSERT_FALSE(call.has_value()) << row.message;
    EXPECT_EQ(call.error().message, row.message);
  }
}

// Completion and parser would disagree about where words end.
TEST(Table, IsConsistent) {
  std::map<std::string, bool> switches;
  std::set<std::string> names;
  const auto look = [&switches](const Flag& flag) {
    const bool is_switch = flag.kind == FlagKind::kSwitch;
    const auto [known, added] = switches.emplace(flag.name, is_switch);
    EXPECT_EQ(known->second, is_switch) << flag.name << " takes a value in one verb only";
    EXPECT_EQ(flag.value.empty(), is_switch) << flag.name;
    EXPECT_FALSE(flag.required && is_switch) << flag.name;
  };
  for (const Flag& flag : common_flags()) look(flag);
  std::string previous;
  for (const Verb& verb : all_verbs()) {
    EXPECT_TRUE(names.insert(called(verb)).second) << called(verb) << " is there twice";
    EXPECT_FALSE(verb.help.empty()) << called(verb);
    for (const Flag& flag : verb.flags) {
      look(flag);
      EXPECT_EQ(find_flag(common_flags(), flag.name), nullptr) << flag.name << " is every verb's";
    }
    EXPECT_EQ(std::ranges::count(verbs_named(verb.name), verb.action, &Verb::action), 1)
        << called(verb) << " does not stand with its like";
    previous = verb.name;
  }
}

TEST(Table, HelpOfOneActionShowsItsSiblings) {
  const std::string help = verb_help(*find_verb("deliveries"));
  EXPECT_THAT(help, HasSubstr("usage: rollwatch deliveries list ID [flags]\n"));
  EXPECT_THAT(help, HasSubstr("usage: rollwatch deliveries redeliver DELIVERY [flags]\n"));
}

TEST(Table, CompletionKnowsEveryVerbActionAndFlag) {
  const std::string script = bash_completion();
  for (const Verb& verb : all_verbs()) {
    const std::string begin = "\n    '" + called(verb) + "') echo '";
    const std::size_t at = script.find(begin);
    ASSERT_NE(at, std::string::npos) << called(verb);
    const std::string line = script.substr(at + begin.size(), script.find('\n', at + 1) - at);
    for (const Flag& flag : verb.flags)
      EXPECT_THAT(line, HasSubstr("--" + std::string(flag.name) + " ")) << called(verb);
  }
  EXPECT_THAT(script, HasSubstr("    context) echo 'list use add' ;;\n"));
  EXPECT_THAT(script, HasSubstr("'list --output') echo 'table json jsonl' ;;"));
  EXPECT_THAT(script, HasSubstr("'token new --scopes') echo 'read register decide admin' ;;"));
}

// Whoever answers as the server does not get to run anything in the shell.
TEST(Table, CompletionRunsNothingThatAServerAnswers) {
  const TempDir folder;
  write_file(folder / "try.sh", bash_completion() + R"sh(
answers() {
  printf '%s\n' '{"name":"$(echo ran)"}' '{"name":"`echo ran`"}' '{"name":"strict-1.0_b"}'
  printf '%s\n' '{"id":"ro_1$(echo ran)"}' '{"id":"ro_01m7"}'
}
COMP_WORDS=(answers start --policy '')
COMP_CWORD=3
_rollwatch answers
printf '%s\n' "${COMPREPLY[@]}"
COMP_WORDS=(answers status '')
COMP_CWORD=2
_rollwatch answers
printf '%s\n' "${COMPREPLY[@]}"
)sh");
  EXPECT_EQ(run_program({{"bash", (folder / "try.sh").string()}, {}, ""}).output,
            "strict-1.0_b\nro_01m7\n");
}

// docs/cli.md is written by the table: `rollwatch help --markdown`.
TEST(Table, TheReferenceInTheDocumentationIsThis) {
  std::ifstream in(ROLLWATCH_SOURCE "/docs/cli.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const std::string begin = "<!-- from here on: rollwatch help --markdown -->\n\n";
  const std::size_t at = page.find(begin);
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(page.substr(at + begin.size()), reference())
      << "put the output of `rollwatch help --markdown` below that line of docs/cli.md";
}

}  // namespace
}  // namespace rollwatch
