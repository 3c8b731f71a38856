// How a server is reached: the keys that datasources, orchestrators and notifiers have in common.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.h"
#include "config/section_context.h"
#include "config/settings.h"

namespace rollwatch {

// `headers = { X-Scope-OrgID = "tenant" }`
std::map<std::string, Secret> read_headers(TableReader& parent);

// `tls = { ca_file = "…", cert_file = "…", key_file = "…" }`, for a server at this URL.
TlsSettings read_tls(TableReader& parent, const std::string& url, SectionContext& context);

// `bearer_token` or `bearer_token_file`: one line.
std::optional<Secret> read_bearer_token(TableReader& reader, const std::string& key,
                                        SectionContext& context);

// `basic_auth = { username = "…", password_file = "…" }`
std::optional<BasicAuth> read_basic_auth(TableReader& parent, SectionContext& context);

// At most one of bearer_token, basic_auth and an Authorization header.
void check_one_authorization(TableReader& reader, const std::map<std::string, Secret>& headers,
                             bool has_basic_auth);

// KEY or KEY_file; empty if it is missing or wrong, which is then recorded.
Secret read_url(TableReader& reader, const std::string& key, UrlUse use, std::string_view advice,
                SectionContext& context);

// `secret = "whsec_…"`
std::optional<Secret> read_signing_secret(TableReader& reader, const std::string& key,
                                          SectionContext& context);

// `allow_addresses = ["169.254.10.5"]`, canonical.
std::vector<std::string> read_allowed_addresses(TableReader& reader);

}  // namespace rollwatch
