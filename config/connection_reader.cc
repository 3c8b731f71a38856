#include "config/connection_reader.h"

#include "config/address.h"

namespace rollwatch {

std::map<std::string, Secret> read_headers(TableReader& parent) {
  std::map<std::string, Secret> headers;
  const Value* table = parent.table("headers");
  if (table == nullptr) return headers;
  TableReader reader(*table, join_key(parent.path(), "headers"), parent.errors());
  for (const Value::Member& member : *table->as_table()) {
    auto value = reader.string(member.key);
    if (!value) continue;
    if (!is_header_name(member.key)) {
      reader.wrong(member.key, "is no header name; use letters, digits and '-'");
    } else if (!is_header_value(*value)) {
      reader.wrong(member.key, "must be one line without control characters");
    } else {
      headers.emplace(member.key, Secret(std::move(*value)));
    }
  }
  return headers;
}

TlsSettings read_tls(TableReader& parent, const std::string& url, SectionContext& context) {
  TlsSettings tls;
  const Value* table = parent.table("tls");
  if (table == nullptr) return tls;
  TableReader reader(*table, join_key(parent.path(), "tls"), parent.errors());
  tls.ca_file = context.readable_file(reader, "ca_file");
  tls.cert_file = context.readable_file(reader, "cert_file");
  tls.key_file = context.readable_file(reader, "key_file", true);
  tls.insecure_skip_verify = reader.boolean("insecure_skip_verify").value_or(false);
  if ((reader.find("cert_file") == nullptr) != (reader.find("key_file") == nullptr)) {
    const std::string given = reader.find("cert_file") != nullptr ? "cert_file" : "key_file";
    reader.wrong(given, "cert_file and key_file belong together; give the other one too");
  }
  reader.finish();
  if (url.rfind("http://", 0) == 0) {
    context.warnings.push_back({table->origin(), reader.path(), "has no effect on an http:// url"});
  }
  return tls;
}

}  // namespace rollwatch
