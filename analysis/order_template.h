// Text with {{variables}} for somebody else's HTTP API. Parsed once, when the configuration is
// read, so that a misspelt name is an error then; a value goes in as the place takes it and never
// becomes syntax.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/expected.h"
#include "analysis/secret.h"
#include "analysis/spec.h"

namespace rollwatch {

inline constexpr std::string_view kHostMustBeFixed =
    "may hold variables only behind the host: which server is asked, the configuration says";

// Whether a variable's value is a number: in a JSON body it may become one.
bool is_number_variable(std::string_view name);

using TemplateValues = std::map<std::string, std::string, std::less<>>;

class OrderTemplate {
 public:
  // The error is a sentence that names what is wrong.
  static Expected<OrderTemplate, std::string> parse(std::string_view text);

  // With each value passed through `encode`. The error names the variable that has no value, or an
  // empty one.
  Expected<std::string, std::string> render(
      const TemplateValues& values,
      const std::function<std::string(const std::string&)>& encode) const;
  Expected<std::string, std::string> render(const TemplateValues& values) const;

  // Of a URL: whom we talk to is the configuration's to say, never a registration's, so variables
  // may stand behind the host only.
  bool host_is_fixed() const;
  // The variable, if there is nothing else and it is not written {{name | string}}; else "".
  std::string lone_variable() const;
  std::vector<std::string> variables() const;

 private:
  struct Part {
    std::string variable;
    bool as_string = false;
    std::string text;  // what follows it
  };
  std::string beginning_;
  std::vector<Part> parts_;
};

// Those of `variables` that a rollout does not have, however far it gets.
std::vector<std::string> missing_variables(const RolloutSpec& spec,
                                           const std::vector<std::string>& variables);

// One kind of order as a request of somebody else's API, and how the target is read before one is
// sent: as the configuration gives them (docs/orchestrators.md).
struct RequestShape {
  std::string method = "POST";
  Secret url;                                           // a template behind the host
  std::vector<std::pair<std::string, Secret>> headers;  // names; templates
  std::string body;                       // JSON whose strings are templates; "": none
  std::string already;                    // JSON object: pointer → value; "": none
  std::vector<int> done, refused, retry;  // statuses that mean something else than usual
  bool wait_for_ack = false;              // a 202 is to be acknowledged
  bool url_is_secret = false, body_is_secret = false;  // in part from the environment or a file
};

// What is read before an order is sent.
struct LookShape {
  std::vector<std::pair<std::string, Secret>> headers;  // names; templates
  Secret url;                                           // a template behind the host
  std::string only_if;                                  // JSON object: pointer → value; "": none
};

}  // namespace rollwatch
