#include "test/promql_corpus/expressions.h"

namespace rollwatch {

std::string Expressions::one() {
  std::string text = operand(1 + static_cast<int>(random_() % 2));
  if (one_in(2)) text += space() + comparison() + space() + number();
  if (one_in(6)) text = "(" + space() + text + space() + ")";
  if (one_in(5)) text += pick({"\n", " # > 5", " # {x", " or canary_steps"});
  return text;
}

std::string Expressions::space() { return pick({" ", " ", "", "\n", " # ) > 7 or (\n"}); }

std::string Expressions::comparison() { return pick({">", ">=", "<", "<=", "==", "!="}); }

std::string Expressions::number() {
  return pick({"0", "1", "-1", "- 2", "+3", "0.3", ".7", "0x4", "1e1", "5."});
}

std::string Expressions::matching() {
  return pick({" ", " ", " on (check) ", " ignoring(part) ", " on () group_left ",
               " on(check) group_right() "});
}

std::string Expressions::selector() {
  return pick({"canary_score", "canary_score", "canary_steps", "node_load1", "odd_gauge",
               "{__name__=`canary_score`,check!='c'}", "canary_score{check=\"a\"} offset 10m",
               "canary_score @ 1767320400", "noisy_ratio_up", "rabbitmq_queue_messages_ready"});
}

std::string Expressions::operand(int depth) {
  if (depth == 0) return one_in(12) ? number() : selector();
  const auto deeper = [&] { return operand(depth - 1); };
  switch (random_() % 12) {
    case 0:
    case 1:
      return "(" + space() + deeper() + space() + ")";
    case 2:
      return deeper() + space() + pick({"+", "-", "*", "/", "%", "^", " atan2 "}) + matching() +
             deeper();
    case 3:
      return deeper() + space() + comparison() + pick({"", " bool"}) + matching() + deeper();
    case 4:
      return deeper() + space() + comparison() + space() + number();
    case 5:
      return deeper() + pick({" and ", " or ", " unless ", " OR on () ", " AND on(check) "}) +
             deeper();
    case 6:
      return pick({"sum", "MAX", "count"}) + pick({"", " by (check)", " without(part)"}) + "(" +
             deeper() + ")";
    case 7:
      return pick({"sum", "min", "count"}) + "(" + deeper() + ")" + pick({"", " by (check)"});
    case 8:
      return pick({"max_over_time(", "changes(", "sum_over_time("}) + selector() +
             pick({"[5m])", "[10m:1m])", "[1m30s])"});
    case 9:
      return pick({"abs(", "absent(", "timestamp("}) + deeper() + ")";
    case 10:
      return pick({"-", "+"}) + deeper();
    default:
      return "label_replace(" + deeper() + R"x(, "note", "$1 > 5", "check", "(.*)"))x";
  }
}

}  // namespace rollwatch
