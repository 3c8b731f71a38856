#include "notifiers/told_so_far.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/silence.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSilenceName = "silence";
constexpr const char* kFreezeName = "freeze";

std::string kind_name(Matter::Kind kind) {
  return kind == Matter::Kind::kSilence ? kSilenceName : kFreezeName;
}

bool is_told_to(const RolloutSpec& spec, const NotifierRoute& route,
                const std::vector<NotifierRoute>& routes) {
  const auto told = routes_for(spec, routes);
  return std::any_of(told.begin(), told.end(),
                     [&route](const NotifierRoute* r) { return r->name == route.name; });
}

const NotifierRoute* route_of(const std::string& notifier,
                              const std::vector<NotifierRoute>& routes) {
  const auto found = std::find_if(routes.begin(), routes.end(), [&notifier](const auto& route) {
    return route.name == notifier;
  });
  return found == routes.end() ? nullptr : &*found;
}

}  // namespace

Matter silence_matter(const std::string& datasource) {
  return {Matter::Kind::kSilence, "", datasource};
}

Matter freeze_matter(const std::string& ns, const std::string& service) {
  return {Matter::Kind::kFreeze, ns, service};
}

bool stands_still(const RolloutState& state) {
  return state.freeze && !is_final(state.state) && state.state != State::kRollingBack;
}

std::vector<Matter> matters_of(Fixed fixed, const RolloutState& state) {
  std::vector<Matter> matters;
  for (const std::string& datasource : silenced_by(fixed, state))
    matters.push_back(silence_matter(datasource));
  if (stands_still(state)) {
    matters.push_back(freeze_matter(fixed.spec.ns, fixed.spec.service));
    matters.push_back(freeze_matter("", ""));
  }
  return matters;
}

// ---- Who is concerned
// ----------------------------------------------------------------------------

void ToldSoFar::join(const Matter& matter, const RolloutSpec& spec, bool waits) {
  if (const Case* known = find(matter)) {
    const auto found = known->concerned.find(spec.id);
    if (found != known->concerned.end() && found->second.waits == waits) return;
  }
  own(matter).concerned[spec.id] = {std::make_shared<const RolloutSpec>(spec), waits};
}

void ToldSoFar::leave(const Matter& matter, const std::string& rollout) {
  const Case* known = find(matter);
  if (known == nullptr || !known->concerned.contains(rollout)) return;
  own(matter).concerned.erase(rollout);
  drop_if_empty(matter);
}

bool ToldSoFar::concerns_any(const Matter& matter, const NotifierRoute& route,
                             const std::vector<NotifierRoute>& routes,
                             const std::string& except) const {
  const Case* known = find(matter);
  return known != nullptr &&
         std::any_of(known->concerned.begin(), known->concerned.end(), [&](const auto& rollout) {
           return rollout.first != except && is_told_to(*rollout.second.spec, route, routes);
         });
}

std::vector<ToldSoFar::Concerned> ToldSoFar::concerned(
    const Matter& matter, const NotifierRoute& route,
    const std::vector<NotifierRoute>& routes) const {
  std::vector<Concerned> told;
  const Case* known = find(matter);
  if (known == nullptr) return told;
  for (const auto& [id, rollout] : known->concerned)
    if (is_told_to(*rollout.spec, route, routes)) told.push_back(rollout);
  return told;
}

bool ToldSoFar::concerns_nobody(const Matter& matter) const {
  const Case* known = find(matter);
  return known == nullptr || known->concerned.empty();
}

// ---- Who was told
// --------------------------------------------------------------------------------

const Telling* ToldSoFar::telling(const Matter& matter, const std::string& notifier) const {
  const Telling* known = latest(matter, notifier);
  return known == nullptr || known->ended_at ? nullptr : known;
}

Telling& ToldSoFar::change(const Matter& matter, const std::string& notifier) {
  Telling& telling = own(matter).tellings[notifier];
  if (telling.ended_at) telling = {};
  return telling;
}

void ToldSoFar::end(const Matter& matter, const std::string& notifier, SysTime at) {
  change(matter, notifier).ended_at = at;
}

void ToldSoFar::forget(const Matter& matter, const std::string& notifier) {
  if (latest(matter, notifier) == nullptr) return;
  own(matter).tellings.erase(notifier);
  drop_if_empty(matter);
}

void ToldSoFar::forget(const Matter& matter) {
  if (find(matter) == nullptr) return;
  own(matter).tellings.clear();
  drop_if_empty(matter);
}

std::optional<SysTime> ToldSoFar::ended_at(const Matter& matter,
                                           const std::string& notifier) const {
  const Telling* known = latest(matter, notifier);
  return known == nullptr ? std::nullopt : known->ended_at;
}

std::vector<Matter> ToldSoFar::told_matters(Matter::Kind kind) const {
  std::vector<Matter> matters;
  for (const auto& [matter, known] : cases_) {
    const bool open = std::any_of(known->tellings.begin(), known->tellings.end(),
                                  [](const auto& telling) { return !telling.second.ended_at; });
    if (matter.kind == kind && open) matters.push_back(matter);
  }
  return matters;
}

const Telling* ToldSoFar::latest(const Matter& matter, const std::string& notifier) const {
  const Case* known = find(matter);
  if (known == nullptr) return nullptr;
  const auto found = known->tellings.find(notifier);
  return found == known->tellings.end() ? nullptr : &found->second;
}

void ToldSoFar::keep_answers_of(const ToldSoFar& before) {
  for (const auto& [matter, known] : before.cases_) {
    for (const auto& [notifier, telling] : known->tellings) {
      const Telling* now = this->telling(matter, notifier);
      if (telling.answers_since && now != nullptr && now->since == telling.since)
        change(matter, notifier).answers_since = telling.answers_since;
    }
  }
}

void ToldSoFar::reroute(const std::vector<NotifierRoute>& before,
                        const std::vector<NotifierRoute>& now) {
  for (const Matter& matter : told_matters(Matter::Kind::kSilence)) {
    std::vector<std::string> notifiers;
    for (const auto& [notifier, telling] : find(matter)->tellings) notifiers.push_back(notifier);
    for (const std::string& notifier : notifiers) {
      const NotifierRoute* is = route_of(notifier, now);
      const NotifierRoute* was = route_of(notifier, before);
      const bool had_some = was != nullptr && concerns_any(matter, *was, before);
      const bool has_some = is != nullptr && concerns_any(matter, *is, now);
      if (is == nullptr || (had_some && !has_some)) forget(matter, notifier);
    }
  }
}

// ---- Over a restart
// ------------------------------------------------------------------------------

std::string ToldSoFar::to_text() const {
  Json rows = Json::array();
  for (const auto& [matter, known] : cases_) {
    for (const auto& [notifier, telling] : known->tellings) {
      rows.push_back({{"kind", kind_name(matter.kind)},
                      {"name", matter.name},
                      {"notifier", notifier},
                      {"since", format_time(telling.since)},
                      {"told_at", format_time(telling.told_at)},
                      {"told", telling.told},
                      {"went_on", telling.went_on}});
      if (!matter.ns.empty()) rows.back()["ns"] = matter.ns;
      if (!telling.said.empty()) rows.back()["said"] = telling.said;
      if (telling.ended_at) rows.back()["ended_at"] = format_time(*telling.ended_at);
    }
  }
  return rows.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void ToldSoFar::read_text(std::string_view text) {
  const Json rows = Json::parse(text, nullptr, false);
  if (!rows.is_array()) return;
  for (const Json& row : rows) {
    try {
      const auto since = parse_time(row.at("since").get<std::string>());
      const auto told_at = parse_time(row.at("told_at").get<std::string>());
      if (!since || !told_at) continue;
      const auto kind = row.at("kind").get<std::string>();
      if (kind != kSilenceName && kind != kFreezeName) continue;
      const Matter matter{kind == kSilenceName ? Matter::Kind::kSilence : Matter::Kind::kFreeze,
                          row.value("ns", ""), row.at("name").get<std::string>()};
      change(matter, row.at("notifier").get<std::string>()) = {
          *since,
          *told_at,
          row.at("told").get<bool>(),
          row.at("went_on").get<std::uint32_t>(),
          {},
          row.value("said", ""),
          parse_time(row.value("ended_at", ""))};
    } catch (const Json::exception&) {
      continue;  // of another version
    }
  }
}

// ---- Copies
// --------------------------------------------------------------------------------------

const ToldSoFar::Case* ToldSoFar::find(const Matter& matter) const {
  const auto found = cases_.find(matter);
  return found == cases_.end() ? nullptr : found->second.get();
}

ToldSoFar::Case& ToldSoFar::own(const Matter& matter) {
  std::shared_ptr<Case>& known = cases_[matter];
  if (!known)
    known = std::make_shared<Case>();
  else if (known.use_count() > 1)
    known = std::make_shared<Case>(*known);
  return *known;
}

void ToldSoFar::drop_if_empty(const Matter& matter) {
  const auto found = cases_.find(matter);
  if (found->second->tellings.empty() && found->second->concerned.empty()) cases_.erase(found);
}

}  // namespace rollwatch
