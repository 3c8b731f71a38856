// Who makes a request: filled in by the HTTP layer, handed to everything that decides or records.
// Without tokens every caller is the local operator with every scope.
#pragma once

#include <string>
#include <vector>

#include "analysis/advance.h"

namespace rollwatch {

enum class Scope : unsigned char {
  kRead,
  kRegister,
  kDecide,
  kAdmin,
  kAny,  // of a call for everybody with a token, whatever it may do otherwise
};

struct Caller {
  std::string name = "local";  // the token's
  std::string token;           // the same; "" without tokens
  std::string address;         // where from
  std::vector<Scope> scopes{Scope::kRead, Scope::kRegister, Scope::kDecide, Scope::kAdmin};
  std::vector<std::string> namespaces;  // empty: all

  Via via() const { return Via(token, address); }
  bool may(Scope scope) const {
    if (scope == Scope::kAny) return true;
    for (const Scope s : scopes)
      if (s == scope) return true;
    return false;
  }
  bool sees(const std::string& ns) const {
    if (namespaces.empty()) return true;
    for (const std::string& n : namespaces)
      if (n == ns) return true;
    return false;
  }
};

}  // namespace rollwatch
