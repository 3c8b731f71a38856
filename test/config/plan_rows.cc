#include "test/config/plan_rows.h"

namespace rollwatch {

namespace {

constexpr const char* kNoString = "must be a string in quotes, not ";
constexpr const char* kEmpty = "must not be empty; give a value or leave the key out";
constexpr const char* kNoDuration =
    "must be a duration in quotes, such as \"30s\", \"5m\" or \"1h30m\", not ";
constexpr const char* kNoTable = "must be a table, not ";
constexpr const char* kNoFlag = "must be true or false, not ";
constexpr const char* kKinds =
    "must be \"rate\", \"histogram\", \"gauge\" or \"mann-whitney\", not ";
constexpr const char* kTolerance = "must be a number or a table such as { factor = ";
constexpr const char* kTooLong = "must be at most \"";
constexpr const char* kDatasourceValues[] = {"1", kNoString, "''", kEmpty};
constexpr const char* kOpenQuery = "in the query, line 1, column 4: ";
constexpr const char* kUnknownVariable = "unknown variable {{servce}}: did you mean \"service\"?";

std::vector<KeyRow> joined(std::vector<KeyRow> rows, const std::vector<KeyRow>& more) {
  rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

KeyRow count(const char* key, const char* range) { return {key, "'3'", range, "0", range}; }

KeyRow alpha_row() {
  return {"alpha", "'0.01'", "must be a number from 0.000001 to 0.2, not ", "0.5",
          "must be a number from 0.000001 to 0.2, not 0.5"};
}

// How a query is asked, of conditions and of the readiness gate.
std::vector<KeyRow> asking_rows() {
  return {{"interval", "30", kNoDuration, "'0s'", "must be at least \"100ms\", not \"0s\""},
          {"window", "['1m']", kNoDuration, "'100d'", kTooLong},
          {"datasource", kDatasourceValues[0], kDatasourceValues[1], kDatasourceValues[2],
           kDatasourceValues[3]},
          count("fail_after", "must be a whole number from 1 to 1000, not "),
          {"within", "[]", "must be a whole number from 1 to 1000, not a list", "'al'",
           "must be \"all\", not \"al\": did you mean \"all\"?"}};
}

std::vector<KeyRow> policy_rows() {
  return joined(
      judging_rows(),
      {{"steps", "5", "must be a list: steps = [ { weight = 5, hold = \"2m\" }, ", "[]",
        "must have at least one step below 100; write steps = ["},
       {"ramp", "5", kNoTable, "{ from = 5 }",
        "missing key \"by\"; write ramp = { from = 5, by = 5, to = 100, every = \"2m\" }"},
       {"duration", "600", kNoDuration, "'0s'", "must be at least \"100ms\", not \"0s\""},
       {"ready", "3", kNoTable, "{ @at_leats = 3 }", "did you mean \"at_least\"?"},
       {"approve", "true", "must be \"none\", \"start\", \"promote\" or \"both\", not ",
        "'promoted'", "not \"promoted\": did you mean \"promote\"?"},
       {"soak", "15", kNoDuration, "'31d'", kTooLong},
       {"patience", "true", kNoDuration, "'-5s'", "not \"-5s\""},
       {"on_inconclusive", "0", "must be \"pause\" or \"rollback\", not ", "'wait'",
        "must be \"pause\" or \"rollback\", not \"wait\""},
       {"deadline", "24", kNoDuration, "'0s'", "must be at least \"1s\", not \"0s\""},
       {"on_deadline", "[]", "must be \"pause\" or \"rollback\", not ", "'roll back'",
        "did you mean \"rollback\"?"},
       {"recovery", "5", kNoDuration, "'5 m'", "not \"5 m\""},
       {"alerts", "'all'", kNoTable, "{ @macth = { a = 'b' } }", "did you mean \"match\"?"},
       {"locked", "'yes'", kNoFlag, nullptr, nullptr},
       alpha_row(),
       {"condition", "{}",
        "must be a list: write [[policy.NAME.condition]] in a file, \"condition\": [{…}] in a "
        "request, not ",
        "[@1]", kNoTable}});
}

std::vector<KeyRow> condition_rows() {
  std::vector<KeyRow> rows = {
      {"name", "1", kNoString, "\"a\\nb\"", "must be one line of at most 100 bytes"},
      {"query", "1", kNoString, "'sum(x'", kOpenQuery},
      {"fail_if", "0.05",
       "must be \"> 0.05\" (any of > >= < <= == != and a number), \"any\" or \"none\", not ",
       "'some'", "as in \"> 0.05\"; or write \"any\" or \"none\""},
      {"pass_if", "1", kNoString, "'any'", "as in \"> 0.05\""},
      {"reduce", "1", "must be \"each\", \"max\", \"min\", \"sum\", \"avg\" or \"one\", not ",
       "'mean'", "\"avg\" or \"one\", not \"mean\""},
      {"select", "'app'", kNoTable, "{ app = @'{{servce}}' }", kUnknownVariable},
      {"evidence", "true", kNoString, "'x{a=\"{{servce}}\"}'", kUnknownVariable},
      {"min_evidence", "'9'", "must be a number from 0 to ", "-1", "must be a number from 0 to "},
      {"steps", "25", "must be a list: steps = [5, 25], not ", "[@101]",
       "must be weights of steps, numbers from 0 to 100, not 101"},
      {"count_of", "1", kNoString, "'sum(x'", kOpenQuery},
      {"compare", "true", kKinds, "'rates'", "did you mean \"rate\"?"},
      {"events", "1", kNoString, "'x{v=\"{{servce}}\"}'", kUnknownVariable},
      {"bad_events", "true", kNoString, "'sum(x'", kOpenQuery},
      {"buckets", "1", kNoString, "'sum(x'", kOpenQuery},
      alpha_row(),
      {"tolerance", "'1.25'", kTolerance, "true", kTolerance},
      {"promote_margin", "[1]", kTolerance, "'2'", kTolerance},
      {"dispersion", "true", "must be \"auto\", \"series\", \"successive\" or \"off\", not ", "0.5",
       "must be a number from 1 to "},
      {"warmup", "30", kNoDuration, "'25h'", kTooLong},
      {"early_promote", "'yes'", kNoFlag, nullptr, nullptr},
      {"worse", "1", "must be \"higher\" or \"lower\", not ", "'loewr'",
       "did you mean \"lower\"?"}};
  return joined(std::move(rows), judging_rows());
}

std::vector<KeyRow> ready_rows() {
  return joined(
      {{"query", "1", kNoString, "'sum(x'", kOpenQuery},
       {"at_least", "'3'", "must be a number from 0 to ", "-1", "must be a number from 0 to "},
       {"timeout", "600", kNoDuration, "'0s'", "must be at least \"1s\", not \"0s\""},
       {"retry_after", "60", kNoDuration, "'1'", "not \"1\""},
       count("attempts", "must be a whole number from 1 to 1000, not "),
       {"on_lost", "true", "must be \"ignore\", \"pause\" or \"rollback\", not ", "'rolback'",
        "did you mean \"rollback\"?"}},
      asking_rows());
}

}  // namespace

std::vector<KeyRow> judging_rows() {
  constexpr const char* kMissing = "must be \"wait\", \"fail\" or \"ignore\", not ";
  return joined(asking_rows(),
                {{"initial_delay", "30", kNoDuration, "'30'", "not \"30\""},
                 {"timeout", "5", kNoDuration, "'1h'", "must be at most \"10m\", not \"1h\""},
                 count("min_passes", "must be a whole number from 1 to 1000, not "),
                 {"on_fail", "1", "must be \"rollback\", \"pause\" or \"observe\", not ",
                  "'rolback'", "did you mean \"rollback\"?"},
                 {"on_no_data", "true", kMissing, "'wat'", "not \"wat\": did you mean \"wait\"?"},
                 {"on_error", "0", kMissing, "'ignored'", "did you mean \"ignore\"?"},
                 {"share", "true", "must be \"off\" or \"auto\", not ", "'automatic'",
                  "must be \"off\" or \"auto\", not \"automatic\""}});
}

const std::vector<AnalysisTable>& analysis_tables() {
  static const std::vector<AnalysisTable> tables = {
      {"", false, policy_rows()},
      {"steps",
       true,
       {{"weight", "'5'", "must be a number from 0 to 100, not a string", "101",
         "must be a number from 0 to 100, not 101"},
        {"hold", "2", kNoDuration, "'2 minutes'", "not \"2 minutes\""},
        {"approve", "'yes'", kNoFlag, nullptr, nullptr}}},
      {"ramp",
       false,
       {{"from", "'5'", "must be a number from 0 to 99.99, not a string", "100",
         "must be a number from 0 to 99.99, not 100"},
        {"by", "[]", "must be a number from 0.01 to 100, not a list", "0",
         "must be a number from 0.01 to 100, not 0"},
        {"to", "true", "must be a number from 0 to 100, not ", "-1",
         "must be a number from 0 to 100, not -1"},
        {"every", "2", kNoDuration, "'2'", "not \"2\""}}},
      {"ready", false, ready_rows()},
      {"alerts",
       false,
       {{"match", "'service'", kNoTable, "{ service = @'{{servce}}' }", kUnknownVariable},
        {"on_fire", "true", "must be \"rollback\", \"pause\" or \"observe\", not ", "'rolback'",
         "did you mean \"rollback\"?"}}},
      {"condition", true, condition_rows()},
  };
  return tables;
}

FileTable file_table(const AnalysisTable& table, const std::string& layer) {
  const std::string dotted = layer + (table.name.empty() ? "" : "." + std::string(table.name));
  FileTable result;
  result.path = dotted;
  for (char& c : result.path) {
    if (c == '\'') c = '"';  // as errors write it
  }
  result.header = table.is_list ? "[[" + dotted + "]]" : "[" + dotted + "]";
  return result;
}

}  // namespace rollwatch
