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

std::optional<Secret> read_bearer_token(TableReader& reader, const std::string& key,
                                        SectionContext& context) {
  auto token = context.secret(reader, key);
  if (token && !is_header_value(token->reveal())) {
    reader.wrong(SectionContext::written_key(reader, key),
                 "must hold one line without control characters");
  }
  return token;
}

std::optional<BasicAuth> read_basic_auth(TableReader& parent, SectionContext& context) {
  const Value* table = parent.table("basic_auth");
  if (table == nullptr) return std::nullopt;
  TableReader reader(*table, join_key(parent.path(), "basic_auth"), parent.errors());
  BasicAuth auth;
  auth.username = reader.string("username").value_or("");
  if (auto password = context.secret(reader, "password")) auth.password = std::move(*password);
  if (reader.find("username") == nullptr)
    reader.missing("username", "give the name to log in with");
  if (!SectionContext::is_given(reader, "password")) {
    reader.missing("password_file", "give the file that holds the password, or password");
  }
  if (auth.username.find(':') != std::string::npos) {
    reader.wrong("username", "must not contain a colon, which ends it");
  }
  reader.finish();
  return auth;
}

void check_one_authorization(TableReader& reader, const std::map<std::string, Secret>& headers,
                             bool has_basic_auth) {
  const bool bearer = SectionContext::is_given(reader, "bearer_token");
  bool header = false;
  for (const auto& [name, value] : headers) {
    header = header || nearest(name, {"authorization"}) == "authorization";
  }
  if (int{bearer} + int{has_basic_auth} + int{header} < 2) return;
  reader.wrong(
      bearer ? SectionContext::written_key(reader, "bearer_token") : "basic_auth",
      "give one of bearer_token_file, basic_auth and an Authorization header, not several");
}

Secret read_url(TableReader& reader, const std::string& key, UrlUse use, std::string_view advice,
                SectionContext& context) {
  auto url = context.secret(reader, key);
  if (!SectionContext::is_given(reader, key)) reader.missing(key, advice);
  if (!url) return Secret();
  if (const auto problem = url_problem(url->reveal(), use)) {
    reader.wrong(SectionContext::written_key(reader, key), *problem);
  }
  return use == UrlUse::kBase ? Secret(without_trailing_slash(url->reveal())) : std::move(*url);
}

std::optional<Secret> read_signing_secret(TableReader& reader, const std::string& key,
                                          SectionContext& context) {
  auto secret = context.secret(reader, key);
  if (secret && !is_signing_secret(secret->reveal())) {
    reader.wrong(SectionContext::written_key(reader, key),
                 "must be \"whsec_\" and the base64 of 24 to 64 random bytes; make one with: "
                 "echo \"whsec_$(openssl rand -base64 32)\"");
  }
  return secret;
}

std::vector<std::string> read_allowed_addresses(TableReader& reader) {
  std::vector<std::string> allowed;
  const Value* list = reader.array("allow_addresses", "allow_addresses = [\"169.254.10.5\"]");
  if (list == nullptr) return allowed;
  for (const Value& item : *list->as_array()) {
    const std::string* text = item.as_string();
    const auto address = text == nullptr ? std::nullopt : canonical_ip(*text);
    if (address) {
      allowed.push_back(*address);
    } else {
      reader.errors().push_back(
          {item.origin(), join_key(reader.path(), "allow_addresses"),
           "must hold addresses such as \"169.254.10.5\" or \"fe80::1\", not " + quoted(item)});
    }
  }
  return allowed;
}

}  // namespace rollwatch
