#include "daemon/storage/documents.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>
#include <vector>

#include "analysis/state_codec.h"

namespace rollwatch {
namespace {

using Json = nlohmann::json;

// A switch, so that the compiler names the enumerator that was forgotten.
// clang-format off
bool is_known(EventType value) {
  using enum EventType;
  switch (value) {
    case kRegistered: case kStarted: case kStepBegan: case kVerdict: case kDecided: case kPaused:
    case kResumed: case kOrderDone: case kOrderAccepted: case kOrderRefused: case kOrderExpired:
    case kPromoted: case kSoaking: case kRolledBack: case kRollbackFailed: case kCancelled:
    case kSuperseded: case kWatchResumed: case kConditionFailed: case kReminder: case kNote:
    case kExtended: case kFrozen: case kThawed: case kReady: case kRecovered: case kStillBad:
    case kLabelled:
      return true;
  }
  return false;
}

bool is_known(DeliveryState value) {
  using enum DeliveryState;
  switch (value) {
    case kPending: case kAccepted: case kDone: case kRefused: case kDead: case kWithdrawn:
      return true;
  }
  return false;
}
// clang-format on

// Enumerators are kept by name, which the API promises; their numbers may be anything.
template <class E>
E read_name(std::string_view name) {
  for (std::uint8_t number = 0; is_known(static_cast<E>(number)); ++number) {
    if (name_of(static_cast<E>(number)) == name) return static_cast<E>(number);
  }
  throw DocumentError("'" + std::string(name) + "' is not a name this program knows");
}

template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;

// JSON has no word for these.
Json write_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

double read_double(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  const auto& word = json.get_ref<const std::string&>();
  if (word == "Infinity") return std::numeric_limits<double>::infinity();
  if (word == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

template <class T>
Json write_value(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return name_of(value);
  } else if constexpr (std::is_same_v<T, double>) {
    return write_double(value);
  } else if constexpr (std::is_same_v<T, SysTime>) {
    return value.time_since_epoch().count();
  } else if constexpr (std::is_same_v<T, RareText>) {
    return value.text();
  } else if constexpr (std::is_same_v<T, RarePairs>) {
    return value.map();
  } else {
    return value;
  }
}

template <class T>
void read_value(const Json& json, T& value) {
  if constexpr (std::is_enum_v<T>) {
    value = read_name<T>(json.get_ref<const std::string&>());
  } else if constexpr (std::is_same_v<T, double>) {
    value = read_double(json);
  } else if constexpr (std::is_same_v<T, SysTime>) {
    value = SysTime(Millis(json.get<std::int64_t>()));
  } else if constexpr (std::is_same_v<T, RarePairs>) {
    value = json.get<RarePairs::Map>();
  } else if constexpr (std::is_same_v<T, RareText>) {
    value = json.get<std::string>();
  } else {
    json.get_to(value);
  }
}

// One list of fields serves both directions. Zero, false and empty are left out.
class FieldWriter {
 public:
  template <class T>
  using Ref = const T&;

  template <class T>
  void operator()(const char* key, const T& value) {
    if constexpr (kIsOptional<T>) {
      if (value) json_[key] = write_value(*value);
    } else {
      if (std::is_enum_v<T> || !(value == T{})) json_[key] = write_value(value);
    }
  }
  std::string dump() const { return json_.dump(-1, ' ', false, Json::error_handler_t::replace); }

 private:
  Json json_ = Json::object();
};

class FieldReader {
 public:
  template <class T>
  using Ref = T&;

  explicit FieldReader(std::string_view text) : json_(Json::parse(text)) {}

  template <class T>
  void operator()(const char* key, T& value) const {
    const auto found = json_.find(key);
    if constexpr (kIsOptional<T>) {
      if (found != json_.end()) read_value(*found, value.emplace());
    } else {
      value = T{};
      if (found != json_.end()) read_value(*found, value);
    }
  }

 private:
  Json json_;
};

// The structured bindings are the guard: they stop compiling when the struct gains a field.
template <class Io>
void visit(Io& io, typename Io::template Ref<RolloutSpec> spec) {
  auto& [id, ns, service, target, stable, candidate, attempt, policy, labels, args, links,
         orchestrator, notify, by, observe, created_at, traceparent] = spec;
  io("id", id);
  io("namespace", ns);
  io("service", service);
  io("target", target);
  io("stable", stable);
  io("candidate", candidate);
  io("attempt", attempt);
  io("policy", policy);
  io("labels", labels);
  io("args", args);
  io("links", links);
  io("orchestrator", orchestrator);
  io("notify", notify);
  io("by", by);
  io("observe", observe);
  io("created_at", created_at);
  io("traceparent", traceparent);
}

template <class Io>
void visit(Io& io, typename Io::template Ref<Event> event) {
  auto& [type, at, state, step, weight, summary, by, reason, via, condition, value, rule, verdict,
         decision, order, kind, question, datasource, is_news] = event;
  io("type", type);
  io("at", at);
  io("state", state);
  io("step", step);
  io("weight", weight);
  io("summary", summary);
  io("by", by);
  io("reason", reason);
  io("token", via.token);
  io("from", via.address);
  io("condition", condition);
  io("value", value);
  io("rule", rule);
  io("verdict", verdict);
  io("decision", decision);
  io("order", order);
  io("kind", kind);
  io("question", question);
  io("datasource", datasource);
  io("is_news", is_news);
}

template <class T>
std::string write_document(const T& value) {
  FieldWriter writer;
  visit(writer, value);
  return writer.dump();
}

template <class T>
T read_document(std::string_view json, const char* what) {
  try {
    FieldReader reader(json);
    T value;
    visit(reader, value);
    return value;
  } catch (const Json::exception& error) {
    throw DocumentError(std::string(what) + " cannot be read: " + error.what());
  }
}

}  // namespace

std::string spec_document(const RolloutSpec& spec) { return write_document(spec); }
RolloutSpec read_spec_document(std::string_view json) {
  return read_document<RolloutSpec>(json, "a rollout's specification");
}

std::string event_document(const Event& event) { return write_document(event); }
Event read_event_document(std::string_view json) { return read_document<Event>(json, "an event"); }

std::string_view name_of(DeliveryClass cls) {
  return cls == DeliveryClass::kOrder ? "order" : "notification";
}

DeliveryClass read_delivery_class(std::string_view name) {
  for (const auto cls : {DeliveryClass::kOrder, DeliveryClass::kNotification}) {
    if (name == name_of(cls)) return cls;
  }
  throw DocumentError("'" + std::string(name) + "' is not a class of deliveries");
}

DeliveryState read_delivery_state(std::string_view name) { return read_name<DeliveryState>(name); }

}  // namespace rollwatch
