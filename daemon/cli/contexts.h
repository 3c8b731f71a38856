// A person's configuration of the client: which servers there are, and which one is meant.
//
//   current = "prod"
//
//   [context.prod]
//   server = "https://rollwatch-1.example.net:9797,https://rollwatch-2.example.net:9797"
//   token_file = "/home/anna/.config/rollwatch/prod.token"
#pragma once

#include <map>
#include <string>

#include "analysis/expected.h"
#include "config/environment.h"

namespace rollwatch {

struct Context {
  std::string server;
  std::string token_file = {};
  std::string ca_file = {};
  std::string cert_file = {};
  std::string key_file = {};
};

struct Contexts {
  std::string current = {};
  std::map<std::string, Context> all = {};
};

// $XDG_CONFIG_HOME/rollwatch/config.toml, or below ~/.config; empty without a home.
std::string context_file_of(const Environment& environment);

// No file is no context. The error is a sentence for the user, with the place.
Expected<Contexts, std::string> read_contexts(const std::string& file,
                                              const Environment& environment);

// The text of the file with another current context; comments and everything else stay.
std::string with_current(const std::string& text, const std::string& name);

// The text of the file with one context more, which is none of those it has.
std::string with_context(const std::string& text, const std::string& name, const Context& context);

// Text as a TOML string.
std::string toml_string(const std::string& text);

// Writes a file that only its owner can read, with the folders it lies in, whole or not at all. The
// error is the reason.
Expected<bool, std::string> write_privately(const std::string& file, const std::string& text);

}  // namespace rollwatch
