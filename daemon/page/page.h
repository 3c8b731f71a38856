// What a browser is shown: the page's files as they were built into the program, the HTML around
// them, and the one view that is readable without a script. Pure: from values to text.
//
//   page_html({"checkout 1.24", rollout_main(report), boot})
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace rollwatch {

// False: this program was built without npm. Then there are the server-made views only.
bool page_is_built();

// A file under /assets/. Its name changes with what is in it.
struct PageAsset {
  std::string_view type;     // of its content
  std::string_view bytes;    // as it is
  std::string_view gzipped;  // compressed
};
// Null: there is none of that name.
const PageAsset* page_asset(std::string_view name);

struct PageParts {
  std::string title;  // text
  std::string main;   // HTML
  std::string boot;   // JSON, for the script
};
std::string page_html(const PageParts& parts);

// What the page may do: its own scripts and styles, and nothing inline.
inline constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
    "'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

// ---- What stands in <main> without a script

// One rollout, whole, of its report (GET /api/v1/rollouts/{id}/report).
std::string rollout_main(const nlohmann::ordered_json& report);

// Of a view that the script makes: where the same is to be had without one.
struct PlainView {
  std::string_view heading;
  std::string_view api;      // "/api/v1/fleet"
  std::string_view command;  // "rollwatch list"
};
std::string plain_main(const PlainView& view);
// Of a rollout that is not shown to somebody without a token.
std::string signin_main(std::string_view path);
std::string no_page_main(std::string_view path);

}  // namespace rollwatch
