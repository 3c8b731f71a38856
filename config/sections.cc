#include "config/sections.h"

#include <algorithm>
#include <limits>

#include "config/address.h"
#include "config/config_files.h"
#include "config/connection_reader.h"
#include "config/store_url.h"

namespace rollwatch {

namespace {

using std::chrono::hours;

constexpr Span kRetentions{hours(1), hours(24 * 365 * 10)};
constexpr Span kLeases{std::chrono::seconds(2), std::chrono::minutes(10)};
constexpr std::string_view kStoreForm = "\"sqlite:/var/lib/rollwatch/rollwatch.db\"";

void read_store_url(TableReader& reader, StoreSettings& store, SectionContext& context) {
  const auto url = context.secret(reader, "url");
  if (!url) return;
  const std::string key = SectionContext::written_key(reader, "url");
  if (is_postgres_url(url->reveal())) {
    store.shown = shown_postgres_url(url->reveal());
    store.postgres = *url;
    return;
  }
  const auto path = sqlite_path(url->reveal());
  if (!path) {
    reader.wrong(key, "must be \"sqlite:\" and the path of a file, such as " +
                          std::string(kStoreForm) +
                          ", or \"postgresql://\" and a database that several nodes share");
    return;
  }
  store.path =
      resolve_path(*path, reader.find(key)->origin().file, context.environment.working_folder);
  store.shown = store.path;
}

void read_thin_after(TableReader& reader, StoreSettings& store) {
  const Value* after = reader.find("thin_after");
  if (after == nullptr) return;
  const std::string* text = after->as_string();
  Millis given{0};
  if (text != nullptr && *text == "never") {
    store.thin_after.reset();
  } else if (auto problem = duration_problem(*after, kRetentions, given)) {
    reader.wrong("thin_after", *problem + "; or write \"never\" to keep every evaluation");
  } else {
    store.thin_after = given;
  }
}

void read_ingestion_delay(TableReader& reader, DatasourceSettings& datasource) {
  const Value* delay = reader.find("ingestion_delay");
  if (delay == nullptr) return;
  const std::string* text = delay->as_string();
  if (text != nullptr && *text == "auto") {
    datasource.measures_ingestion_delay = true;
  } else if (auto problem =
                 duration_problem(*delay, {Millis(0), hours(1)}, datasource.ingestion_delay)) {
    reader.wrong("ingestion_delay", *problem + "; or write \"auto\" to have it measured");
  }
}

}  // namespace

std::string default_store_path(const std::string& main_file, const Environment& environment) {
  return resolve_path("rollwatch.db", main_file, environment.working_folder);
}

StoreSettings read_store(const Value& table, SectionContext& context) {
  StoreSettings store;
  TableReader reader(table, "store", context.errors);
  read_store_url(reader, store, context);
  if (const auto retention = reader.duration("retention", kRetentions))
    store.retention = *retention;
  read_thin_after(reader, store);
  if (const auto lease = reader.duration("lease", kLeases)) {
    store.lease = *lease;
    if (store.postgres.empty())
      reader.wrong("lease", "is for a store that several nodes share; leave it out with SQLite");
  }
  reader.finish();
  return store;
}

DatasourceSettings read_datasource(const Value& table, const std::string& path,
                                   SectionContext& context) {
  DatasourceSettings datasource;
  TableReader reader(table, path, context.errors);
  if (auto url = reader.string("url")) {
    if (const auto problem = url_problem(*url, UrlUse::kBase)) reader.wrong("url", *problem);
    datasource.url = without_trailing_slash(std::move(*url));
  } else if (reader.find("url") == nullptr) {
    reader.missing(
        "url", "give the address of the metrics server, such as url = \"http://127.0.0.1:9090\"");
  }
  const Span timeouts{Millis(10), std::chrono::minutes(10)};
  if (const auto timeout = reader.duration("timeout", timeouts)) datasource.timeout = *timeout;
  if (const auto n = reader.integer("max_concurrency", 1, 1000))
    datasource.max_concurrency = static_cast<int>(*n);
  read_ingestion_delay(reader, datasource);
  datasource.headers = read_headers(reader);
  datasource.bearer_token = read_bearer_token(reader, "bearer_token", context);
  datasource.basic_auth = read_basic_auth(reader, context);
  datasource.tls = read_tls(reader, datasource.url, context);
  check_one_authorization(reader, datasource.headers, datasource.basic_auth.has_value());
  reader.finish();
  return datasource;
}

}  // namespace rollwatch
