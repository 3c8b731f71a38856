#include "config/loader.h"

#include <functional>
#include <set>

#include "config/config_files.h"
#include "config/merge.h"
#include "config/plan_decoder.h"
#include "config/plan_warnings.h"
#include "config/sections.h"

namespace rollwatch {

namespace {

class Loader {
 public:
  explicit Loader(const Environment& environment) : environment_(environment) {}

  Expected<Settings, std::vector<ConfigError>> load(const std::string& file) {
    settings_.file = resolve_path(file, "", environment_.working_folder);
    const Value root = read_config_files(file, environment_, errors_, settings_.fingerprint);
    all_files_read_ = errors_.empty();
    settings_.store.path = default_store_path(file, environment_);
    settings_.store.shown = settings_.store.path;
    read_sections(root);
    read_layers(root);
    check_policies();
    tidy(errors_, file);
    tidy(warnings_, file);
    if (!errors_.empty()) return Unexpected(std::move(errors_));
    for (const FieldError& warning : warnings_) settings_.warnings.push_back(warning.text());
    return std::move(settings_);
  }

 private:
  void read_sections(const Value& root) {
    SectionContext context{environment_, errors_, warnings_};
    TableReader reader(root, "", errors_);
    if (const Value* table = reader.find("server")) settings_.server = read_server(*table, context);
    if (const Value* table = reader.find("store")) {
      StoreSettings store = read_store(*table, context);
      if (store.shown.empty()) store.shown = store.path = settings_.store.path;
      settings_.store = std::move(store);
    }
    for_each_named(reader, "datasource",
                   [&](const std::string& name, const Value& table, const std::string& path) {
                     settings_.datasources.emplace(name, read_datasource(table, path, context));
                   });
    for_each_named(reader, "orchestrator",
                   [&](const std::string& name, const Value& table, const std::string& path) {
                     settings_.orchestrators.emplace(name, read_orchestrator(table, path, context));
                   });
    for_each_named(reader, "notifier",
                   [&](const std::string& name, const Value& table, const std::string& path) {
                     settings_.notifiers.emplace(name, read_notifier(table, path, context));
                   });
    const Value* notifiers = reader.find("notifier");
    if (all_files_read_ && notifiers != nullptr && notifiers->as_table() != nullptr)
      settle_fallbacks(*notifiers, settings_.notifiers, errors_);
    for (const char* key : {"defaults", "policy", "service"}) reader.find(key);
    reader.finish();
  }

  void read_layers(const Value& root) {
    TableReader reader(root, "", errors_);
    if (!reader.is_table()) return;
    settings_.defaults = Value(Value::Table{});
    if (const Value* table = reader.find("defaults")) {
      settings_.defaults = read_layer(*table, "defaults", "[defaults]");
    }
    for_each_named(reader, "policy",
                   [&](const std::string& name, const Value& table, const std::string& path) {
                     settings_.policies.emplace(name, read_layer(table, path, "policy " + name));
                   });
    const Value* services = reader.table("service");
    if (services == nullptr) return;
    for (const Value::Member& member : *services->as_table()) {
      const std::string path = join_key("service", member.key);
      const std::size_t slash = member.key.find('/');
      const bool good = slash != std::string::npos && is_plain_name(member.key.substr(0, slash)) &&
                        is_plain_name(member.key.substr(slash + 1));
      if (!good) {
        errors_.push_back(
            {member.key_origin, path,
             "must be a namespace and a service, such as [service.\"default/checkout\"]"});
      }
      settings_.services.emplace(member.key,
                                 read_layer(member.value, path, "service " + member.key));
    }
  }

  using Named =
      std::function<void(const std::string& name, const Value& table, const std::string& path)>;

  void for_each_named(TableReader& reader, const std::string& section, const Named& read) {
    const Value* tables = reader.table(section);
    if (tables == nullptr) return;
    for (const Value::Member& member : *tables->as_table()) {
      const std::string path = join_key(section, member.key);
      if (!is_plain_name(member.key)) {
        errors_.push_back(
            {member.key_origin, path,
             "is no name; use letters, digits, '-', '_' and '.', at most 64 of them"});
      }
      if (member.value.as_table() == nullptr) {
        errors_.push_back({member.value.origin(), path,
                           "must be a table: write [" + section +
                               ".NAME] with a name of your own above its keys"});
        continue;
      }
      read(member.key, member.value, path);
    }
  }

  Value read_layer(const Value& table, const std::string& path, const std::string& layer) {
    const std::size_t errors_before = errors_.size();
    check_layer(table, path, errors_);
    if (errors_.size() > errors_before) bad_layers_.insert(layer);
    if (all_files_read_) check_datasources(table, path, settings_, errors_);
    Value named = table;
    named.set_layer(layer);
    return named;
  }

  // Each policy on top of [defaults], as if it was registered alone. What is already known to be
  // wrong by itself is not merged.
  void check_policies() {
    if (bad_layers_.contains("[defaults]")) return;
    for (const auto& [name, policy] : settings_.policies) {
      if (bad_layers_.contains("policy " + name)) continue;
      const std::string path = join_key("policy", name);
      Layers layers;
      layers.defaults = &settings_.defaults;
      layers.policies.emplace_back(name, &policy);
      const Value document = merged_document(layers, errors_);
      if (all_files_read_) check_datasources(document, path, settings_, errors_);
      const auto plan = decode_plan(document, Steps::kOptional);
      if (!plan) {
        for (FieldError error : plan.error()) {
          if (!error.origin.is_written()) error.origin = policy.origin();
          error.key = error.key.empty() ? path : path + '.' + error.key;
          errors_.push_back(std::move(error));
        }
        continue;
      }
      if (plan->steps.empty()) {
        warnings_.push_back({policy.origin(), path,
                             "has no steps, ramp or duration; it can be registered "
                             "only together with something that has"});
      }
      if (plan->conditions.empty()) {
        warnings_.push_back({policy.origin(), path,
                             "has no conditions; alone it measures nothing and is never "
                             "promoted without a person"});
      }
      for (FieldError& warning : plan_warnings(*plan, document)) {
        warning.key = path;
        warnings_.push_back(std::move(warning));
      }
    }
  }

  const Environment& environment_;
  Settings settings_;
  FieldErrors errors_;
  FieldErrors warnings_;
  std::set<std::string> bad_layers_;
  bool all_files_read_ = true;  // otherwise what is named may be in the file that was not
};

}  // namespace

Expected<Settings, std::vector<ConfigError>> load_config(const std::string& file,
                                                         const Environment& environment) {
  return Loader(environment).load(file);
}

}  // namespace rollwatch
