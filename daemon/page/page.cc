#include "daemon/page/page.h"

#include <map>

#include "daemon/page/html.h"
#include "daemon/page/page_files.h"

namespace rollwatch {
namespace {

// Where there are no files: what the server makes is readable as it is.
constexpr std::string_view kBareTemplate = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title><!--title--></title>
</head>
<body>
<header><a href="/">Rollwatch</a></header>
<main id="app"><!--main--></main>
</body>
</html>
)html";

std::string_view file_of(std::string_view name) {
  for (const PageFile& file : page_files())
    if (file.name == name) return file.bytes;
  return {};
}

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return {};
}

std::map<std::string_view, PageAsset> assets() {
  std::map<std::string_view, PageAsset> found;
  for (const PageFile& file : page_files()) {
    const std::string_view type = type_of(file.name);
    if (!type.empty())
      found[file.name] = {type, file.bytes, file_of(std::string(file.name) + ".gz")};
  }
  return found;
}

// In place of the comment of that name, once.
void put(std::string& html, std::string_view name, std::string_view text) {
  const std::string comment = "<!--" + std::string(name) + "-->";
  if (const std::size_t at = html.find(comment); at != std::string::npos)
    html.replace(at, comment.size(), text);
}

}  // namespace

bool page_is_built() { return !file_of("index.html").empty(); }

const PageAsset* page_asset(std::string_view name) {
  static const auto all = assets();
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

std::string page_html(const PageParts& parts) {
  std::string html(page_is_built() ? file_of("index.html") : kBareTemplate);
  // The last first: what is put in may itself hold such a comment.
  put(html, "boot", json_in_html(parts.boot));
  put(html, "main", parts.main);
  put(html, "title", html_text(parts.title));
  return html;
}

std::string plain_main(const PlainView& view) {
  const std::string api = html_text(view.api);
  return "<noscript><h1 class=\"headline\">" + html_text(view.heading) +
         "</h1><p>This view needs JavaScript. Without it the same is to be had as JSON, at <a "
         "href=\"" +
         api + "\">" + api + "</a>, and on the command line, with <code>" +
         html_text(view.command) +
         "</code>. The page of a single rollout is readable without it: it is at "
         "<code>/rollouts/ID</code>.</p></noscript>";
}

std::string signin_main(std::string_view path) {
  return "<noscript><h1 class=\"headline\">This needs a token</h1><p>Without JavaScript: <a "
         "href=\"" +
         html_text(path) +
         "?signin\">sign in</a> with any user name and the token as the password.</p></noscript>";
}

std::string no_page_main(std::string_view path) {
  return "<h1 class=\"headline\">There is no page at " + html_text(path) +
         "</h1><p><a href=\"/\">All rollouts</a></p>";
}

}  // namespace rollwatch
