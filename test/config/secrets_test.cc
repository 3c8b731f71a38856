// Wherever a secret may stand, and however the file around it is broken: its text is in no error
// and in no warning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/config/config_support.h"

namespace rollwatch {
namespace {

constexpr const char* kMarker = "MARKERsecretMARKER";

std::string everything_said(const ConfigInMemory& config) {
  const auto settings = config.load();
  if (!settings) return ConfigInMemory::text_of(settings.error());
  std::string said;
  for (const std::string& warning : settings->warnings) said += warning + '\n';
  return said;
}

// Every section with every kind of value; SECRET is put in one place after the other.
constexpr const char* kTemplates[] = {
    "[datasource.default]\nurl = @",
    "[datasource.default]\nurl = 'http://h'\nbearer_token = @\nbearer_token_file = 'marker'",
    "[datasource.default]\nurl = 'http://h'\nbearer_token = [@]",
    "[datasource.default]\nurl = 'http://h'\nbearer_token = { x = @ }",
    "[datasource.default]\nurl = 'http://h'\nheaders = { 'bad name' = @ }",
    "[datasource.default]\nurl = 'http://h'\nheaders = { Authorization = @ }\nbearer_token = @",
    "[datasource.default]\nurl = 'http://h'\nbasic_auth = { username = 'a:b', password = @ }",
    "[datasource.default]\nurl = 'http://h'\nbasic_auth = { password = @, pasword = @ }",
    "[orchestrator.d]\nurl = @\nsecret = @",
    "[orchestrator.d]\nurl = 'http://h'\nsecret = @",
    "[orchestrator.d]\nurl = 'http://h'\nsecret_file = 'marker'",
    "[orchestrator.d]\nurl = 'http://h'\nold_secret = @",
    "[orchestrator.d]\nurl = 'http://h'\nold_secret_file = 'marker'",
    "[orchestrator.d]\nurl = 'http://h'\nsecre = @",
    "[orchestrator.d]\nurl_file = 'marker'\nsecret_file = 'marker'",
    "[notifier.n]\ntype = 'slack'\nwebhook_url = @",
    "[notifier.n]\ntype = 'slack'\nwebhook_url_file = 'marker'",
    "[notifier.n]\ntype = 'slack'\ntoken = @",
    "[notifier.n]\ntype = 'slack'\nwebhok_url = @",
    "[notifier.n]\ntype = 'webhook'\nurl = @\nsecret = @\nold_secret = @",
    "[notifier.n]\ntype = 'webhook'\nurl_file = 'marker'\nsecret_file = 'marker'",
    "[notifier.n]\ntype = 'alertmanager'\nurl = @\nbearer_token = @\nheaders = { 'a b' = @ }",
    "[notifier.n]\ntype = 'alertmanager'\nbasic_auth = { username = 'a:b', password = @ }",
    "[notifier.n]\ntype = 'grafana'\nurl = @\ntoken = @",
    "secret = @ @",
    "secret = @\nsecret = @",
};

// The same from the environment, in keys that quote what they were given when it is somebody's
// typo.
constexpr const char* kFromEnvironment[] = {
    "[server]\nlisten = '${M}'",
    "[server]\nexternal_url = '${M}'",
    "[store]\nurl = '${M}'\nretention = '${M}'",
    "[datasource.default]\nurl = 'http://u:${M}@h'\ntimeout = '${M}'\ningestion_delay = '${M}'",
    "[datasource.default]\nurl = 'http://h'\nbearer_token_file = '${M}'",
    "[datasource.default]\nurl = 'http://h'\ntls = { ca_file = '${M}' }",
    "[orchestrator.d]\nurl = 'http://h'\nsecret = 'whsec_${M}'\ndeadline = '${M}'",
    "[notifier.n]\ntype = '${M}'",
    "[notifier.n]\ntype = 'slack'\nwebhook_url = 'https://h'\nevents = ['${M}']",
    "[notifier.n]\ntype = 'slack'\nwebhook_url = 'https://h'\nfallback = '${M}'",
    "[notifier.n]\ntype = 'grafana'\nurl = 'https://h'\ntoken = 't'\ndashboard_uid = '/${M}'",
    "[notifier.n]\ntype = 'grafana'\nurl = 'https://h'\ntoken = 't'\npanel_id = '${M}'",
    "[notifier.n]\ntype = 'alertmanager'\nurl = 'https://h'\nevents = ['${M}']",
    "[defaults]\ninterval = '${M}'\non_fail = '${M}'\nwithin = '${M}'\ndatasource = '${M}'",
    "[policy.p]\nduration = '1m'\n[[policy.p.condition]]\nname = 'c'\nquery = 'x'\nfail_if = "
    "'${M}'\npass_if = '${M}'",
    "[policy.p]\nduration = '1m'\n[[policy.p.condition]]\nname = 'c'\nquery = 'sum(${M}'",
    "[policy.p]\nduration = '1m'\n[[policy.p.condition]]\nname = 'c'\nquery = 'x{{${M}}}'",
    "[policy.p]\nduration = '1m'\n[[policy.p.condition]]\nname = 'c'\nquery = 'x > 1'\nsteps = "
    "['${M}']",
    "[policy.p]\nduration = '1m'\nready = { query = 'sum(${M}', at_least = 1 }",
    "[policy.p]\nduration = '1m'\nready = { query = 'x{${M}=\"a\"} > 1', at_least = 1 }",
    "[policy.p]\nduration = '1m'\nready = { query = 'x{{${M}}}', on_lost = '${M}' }",
    "[policy.p]\ncondition = [{ name = 'c', query = 'x > 1', select = { app = '{{${M}}}' } }]",
    "[policy.p]\ncondition = [{ name = 'c', query = 'x > 1', select = { app = '{{${M}' } }]",
    "[policy.p]\ncondition = [{ name = 'c', query = 'x{a=\"{{service}}${M}\"} > 1', "
    "select = { app = 'a' } }]",
};

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

TEST(Secrets, AreInNoErrorAndNoWarning) {
  // As a good value, with a mistake in it, without quotes, with quotes that do not close.
  const std::string forms[] = {
      '\'' + std::string(kMarker) + '\'',
      "'https://hooks.example.net/" + std::string(kMarker) + " x'",
      "\"whsec_" + std::string(kMarker) + "\\n\"",
      kMarker,
      "12" + std::string(kMarker),
      '\'' + std::string(kMarker),
      "\"\"\"" + std::string(kMarker),
      "\"" + std::string(kMarker) + "\\q\"",
  };
  for (const char* text : kTemplates) {
    for (const std::string& form : forms) {
      ConfigInMemory config(replaced(text, "@", form));
      config.files["marker"] = std::string(kMarker) + "\n" + kMarker + "\n";
      config.world_readable.insert("marker");
      SCOPED_TRACE(config.files[kMainFile]);
      EXPECT_EQ(everything_said(config).find("MARKER"), std::string::npos)
          << everything_said(config);
    }
  }
}

TEST(Secrets, FromTheEnvironmentAreInNoErrorAndNoWarning) {
  for (const char* text : kFromEnvironment) {
    SCOPED_TRACE(text);
    ConfigInMemory config(text);
    config.variables["M"] = kMarker;
    EXPECT_NE(everything_said(config), "");
    EXPECT_EQ(everything_said(config).find("MARKER"), std::string::npos) << everything_said(config);
  }
}

}  // namespace
}  // namespace rollwatch
