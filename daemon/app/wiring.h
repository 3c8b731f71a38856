// What the wiring of orchestrators and of notifiers has in common (assembly.cc, notifiers.cc).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "daemon/delivery/answer.h"
#include "notifiers/signature.h"

namespace rollwatch {

TlsOptions tls_of(const TlsSettings& settings);

// Every signature that what is sent carries, the current secret's first. The secrets were checked
// when the configuration was read. Throws std::runtime_error, which names `whose` they are.
std::vector<SigningKey> keys_of(const std::string& whose, const Secret& current,
                                const std::optional<Secret>& old);

// What we send to may be at no address that a receiver has no business at, but for those named.
HttpSend guarded(const HttpSend& http, const std::vector<std::string>& allowed);

}  // namespace rollwatch
