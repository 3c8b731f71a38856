// How a server is reached: the keys that datasources and orchestrators have in common.
#pragma once

#include <map>
#include <string>

#include "config/section_context.h"
#include "config/settings.h"

namespace rollwatch {

// `headers = { X-Scope-OrgID = "tenant" }`
std::map<std::string, Secret> read_headers(TableReader& parent);

// `tls = { ca_file = "…", cert_file = "…", key_file = "…" }`, for a server at this URL.
TlsSettings read_tls(TableReader& parent, const std::string& url, SectionContext& context);

}  // namespace rollwatch
