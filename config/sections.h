// One function per section of the configuration: from its table to its settings.
#pragma once

#include <map>
#include <string>

#include "config/section_context.h"
#include "config/settings.h"

namespace rollwatch {

ServerSettings read_server(const Value& table, SectionContext& context);
StoreSettings read_store(const Value& table, SectionContext& context);
DatasourceSettings read_datasource(const Value& table, const std::string& path,
                                   SectionContext& context);
OrchestratorSettings read_orchestrator(const Value& table, const std::string& path,
                                       SectionContext& context);
NotifierSettings read_notifier(const Value& table, const std::string& path,
                               SectionContext& context);

// What `fallback` says of one notifier about another: who is one, and what leads nowhere or in a
// circle. `tables`: [notifier], as read into `notifiers`.
void settle_fallbacks(const Value& tables, std::map<std::string, NotifierSettings>& notifiers,
                      FieldErrors& errors);

// Where the history is kept if nothing is said: beside the main file.
std::string default_store_path(const std::string& main_file, const Environment& environment);

}  // namespace rollwatch
