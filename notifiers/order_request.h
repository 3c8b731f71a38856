// An order as somebody else's HTTP API takes it: one request per kind of order, made from templates
// (docs/orchestrators.md). Pure: from what was configured and what was recorded to method, URL,
// headers and body; and from the state of the target, as it was read, to whether the order is still
// to be sent.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/expected.h"
#include "analysis/order_template.h"
#include "analysis/secret.h"
#include "analysis/spec.h"
#include "notifiers/classify.h"
#include "notifiers/order_body.h"

namespace rollwatch {

// One string that is wrong, and why.
struct ShapeProblem {
  std::string key;  // "url", "headers.Accept", "body", "already", "only_if"
  std::string message;
};

struct RenderedRequest {
  std::string method;
  Secret url;
  std::vector<std::pair<std::string, Secret>> headers;
  std::string body;
};

// What a target that was read says about the order.
struct Sight {
  enum class Says : unsigned char { kSend, kAlreadySo, kNotOurs } says = Says::kSend;
  std::string why;  // of kNotOurs
};

// A kind of order's request, ready to be made.
class OrderRequest {
 public:
  static Expected<OrderRequest, ShapeProblem> make(const RequestShape& shape);

  // The error says which variable has no value.
  Expected<RenderedRequest, std::string> render(const TemplateValues& values) const;
  Ruling rule(const Reply& reply, SysTime now) const;
  // For people: without what came from the environment or a file of its own.
  std::string shown_url(const Secret& rendered) const;
  std::string shown_body(const std::string& rendered) const;

 private:
  friend class TargetLook;
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

// How a target is read before each of its orders.
class TargetLook {
 public:
  static Expected<TargetLook, ShapeProblem> make(const LookShape& shape);

  // The error says which variable has no value.
  Expected<RenderedRequest, std::string> render(const TemplateValues& values) const;
  // `state`: the JSON the target answered. The error says what cannot be compared.
  Expected<Sight, std::string> judge(const OrderRequest& request, const std::string& state,
                                     const TemplateValues& values) const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

// The variables of a rollout's order.
TemplateValues order_values(const RolloutSpec& spec, const OrderFacts& order,
                            const std::string& external_url);

}  // namespace rollwatch
