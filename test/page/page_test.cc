// The page as the server makes it: from values to HTML.
#include "daemon/page/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/page/html.h"
#include "daemon/page/page_files.h"
#include "daemon/page/rollout_html.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Html, WhatComesFromOutsideIsText) {
  const struct Row {
    const char* text;
    const char* html;
  } rows[] = {
      {"", ""},
      {"a < b & c > d", "a &lt; b &amp; c &gt; d"},
      {"\"'", "&quot;&#39;"},
      {"&lt;", "&amp;lt;"},
      {"größer →", "größer →"},
  };
  for (const Row& row : rows) EXPECT_EQ(html_text(row.text), row.html);
  EXPECT_EQ(html_text(std::string_view("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Html, JsonEndsNoElement) {
  EXPECT_EQ(json_in_html(R"({"a":"</script><!--"})"), R"({"a":"\u003c/script>\u003c!--"})");
  EXPECT_EQ(Json::parse(json_in_html(R"(["<", "\\<"])")), Json::parse(R"(["<", "\\<"])"));
}

TEST(Html, OnlyAddressesOfTheWebAreLinks) {
  EXPECT_EQ(html_link("https://git/1?a=1&b=2", "change"),
            R"(<a href="https://git/1?a=1&amp;b=2" rel="noreferrer">change</a>)");
  EXPECT_THAT(html_link("http://x/\"><b>", "<i>"),
              AllOf(HasSubstr("&quot;&gt;&lt;b&gt;"), HasSubstr("&lt;i&gt;")));
  for (const char* other :
       {"javascript:alert(1)", " https://x", "data:text/html,x", "//x", "", "x"})
    EXPECT_EQ(html_link(other, "a & b"), "a &amp; b") << other;
}

TEST(Html, TimesCanBeReadByBoth) {
  EXPECT_EQ(html_time("2026-01-02T03:04:05.678Z"),
            "<time datetime=\"2026-01-02T03:04:05.678Z\">2026-01-02 03:04:05 UTC</time>");
  EXPECT_EQ(html_time(""), "–");
}

TEST(Page, EveryPartStandsWhereItBelongs) {
  // What is put in may look like a place of the template itself.
  const std::string html =
      page_html({"<!--main--> & title", "<p>main <!--boot--></p>", R"({"x":1})"});
  EXPECT_THAT(html, HasSubstr("<title>&lt;!--main--&gt; &amp; title</title>"));
  EXPECT_THAT(html, HasSubstr("<p>main <!--boot--></p></main>"));
  EXPECT_EQ(html.find("<!doctype html>"), 0U);
  EXPECT_EQ(html.find("<!--title-->"), std::string::npos);
  if (page_is_built()) {
    EXPECT_THAT(html, HasSubstr(R"(id="boot">{"x":1}</script>)"));
  }
}

TEST(Page, ItsFilesAreThereWithTheirCompressedForms) {
  EXPECT_EQ(page_asset("app.js"), nullptr);
  EXPECT_EQ(page_asset("index.html"), nullptr) << "a template is no file";
  EXPECT_EQ(page_asset(""), nullptr);
  int scripts = 0, styles = 0;
  for (const PageFile& file : page_files()) {
    const PageAsset* asset = page_asset(file.name);
    if (asset == nullptr) continue;
    EXPECT_EQ(asset->bytes, file.bytes);
    EXPECT_THAT(page_html({}), HasSubstr("/assets/" + std::string(file.name)));
    EXPECT_TRUE(asset->gzipped.starts_with("\x1f\x8b")) << file.name;
    EXPECT_LT(asset->gzipped.size(), asset->bytes.size());
    scripts += asset->type.starts_with("text/javascript") ? 1 : 0;
    styles += asset->type.starts_with("text/css") ? 1 : 0;
  }
  EXPECT_EQ(scripts, page_is_built() ? 1 : 0);
  EXPECT_EQ(styles, page_is_built() ? 1 : 0);
}

TEST(Page, WithoutAScriptItSaysWhereTheSameIs) {
  EXPECT_THAT(plain_main({"Rollouts", "/api/v1/fleet", "rollwatch list"}),
              AllOf(testing::StartsWith("<noscript>"), HasSubstr("href=\"/api/v1/fleet\""),
                    HasSubstr("<code>rollwatch list</code>")));
  EXPECT_THAT(signin_main("/rollouts/\"x"), HasSubstr("href=\"/rollouts/&quot;x?signin\""));
  EXPECT_THAT(no_page_main("/<b>"), HasSubstr("/&lt;b&gt;"));
}

// ---- A condition

Json condition() {
  return Json::parse(R"json({
    "name": "error-rate", "verdict": "failing", "datasource": "default", "interval": "30s",
    "query": "sum(e) / sum(r)", "evidence_query": null, "evaluated_at": "2026-01-02T03:04:05.678Z",
    "curl": "curl -sG 'http://p'", "graph_url": "http://p/graph?g0.expr=e", "within": 3, "answers": 3,
    "failing": 2, "fail_after": 3, "on_fail": "rollback", "rule": "> 0.05", "value": 0.083,
    "evidence": null, "min_evidence": null, "fail_if": {"op": ">", "value": 0.05},
    "counts": {"pass": 4, "fail": 2, "inconclusive": 0, "no_data": 1, "error": 0, "missed": 0},
    "slots": [
      {"slot": "2026-01-02T03:03:05.000Z", "outcome": "no_data", "value": null, "detail": "no series"},
      {"slot": "2026-01-02T03:03:35.000Z", "outcome": "missed", "value": null, "detail": "late",
       "last_slot": "2026-01-02T03:04:05.000Z", "slots": 2},
      {"slot": "2026-01-02T03:04:35.000Z", "outcome": "fail", "value": 0.083, "detail": "0.083 > 0.05"}],
    "points": {"value": [0.01, null, 0.083]}})json");
}

TEST(ConditionHtml, SaysHowItStandsInWords) {
  const std::string html = condition_html(condition());
  EXPECT_THAT(html,
              HasSubstr("Verdict: failing. Value: 0.083, rule &gt; 0.05. Of the last 3 answers "
                        "2 fail; 3 fail it (then: rollback). In all: 4 pass, 2 fail, 1 no "
                        "data."));
  EXPECT_THAT(html, HasSubstr("<code>sum(e) / sum(r)</code>"));
  EXPECT_THAT(html, HasSubstr("> no data</span>")) << "in words";
  EXPECT_THAT(html, HasSubstr("> missed</span> × 2"));
  EXPECT_LT(html.find("0.083 &gt; 0.05</td>"), html.find("no series")) << "the latest first";
  EXPECT_THAT(html, HasSubstr("href=\"http://p/graph?g0.expr=e\""));
}

TEST(ConditionHtml, ItsDrawingHasGapsAndTheLimit) {
  const std::string html = condition_html(condition());
  EXPECT_THAT(html,
              HasSubstr("aria-label=\"Values of error-rate from 0 to 0.083; the dashed line is "
                        "the limit, &gt; 0.05\""));
  EXPECT_THAT(html, HasSubstr("d=\"M0.0 67.3h1M600.0 4.0h1\"")) << "two lines: a gap between";
  EXPECT_THAT(html, Not(HasSubstr(" style=")));
}

// On a linear axis everything but the last few slots was a line at the bottom.
TEST(ConditionHtml, EvidenceIsDrawnByItsPowersOfTen) {
  Json one = condition();
  one["comparison"] = Json::object();
  one["fail_if"] = {{"op", ">="}, {"value", 100}};
  one["points"]["value"] = {0.1, nullptr, 1, 10, 100, 1000};
  const std::string html = condition_html(one);
  EXPECT_THAT(html,
              HasSubstr("aria-label=\"Evidence of error-rate from 0.1 to 1000 on a logarithmic "
                        "axis; the dashed line is what decides, 100\""));
  EXPECT_THAT(html, HasSubstr("d=\"M0.0 76.0h1M240.0 58.0h1L360.0 40.0L480.0 22.0L600.0 4.0\""))
      << "each ten times is as far up";
  EXPECT_THAT(html, HasSubstr("d=\"M0 22.0H600\""));
  one["points"]["value"] = {0, 1e299};
  EXPECT_THAT(condition_html(one), HasSubstr("from 0.001 to 1e+299 on a logarithmic axis"))
      << "nothing is drawn as a thousandth";
}

TEST(ConditionHtml, WhatCannotBeDrawnIsNot) {
  const struct Row {
    const char* name;
    const char* points;
    bool drawn;
  } rows[] = {
      {"nothing yet", "[]", false},
      {"gaps only", "[null, null]", false},
      {"one value", "[0]", true},
      {"all the same", "[7, 7, 7]", true},
      {"below zero", "[-3, -1]", true},
      {"farther apart than a number goes", "[-1.7e308, 1.7e308]", false},
  };
  for (const Row& row : rows) {
    Json one = condition();
    one["points"]["value"] = Json::parse(row.points);
    const std::string html = condition_html(one);
    EXPECT_EQ(html.find("<svg") != std::string::npos, row.drawn) << row.name;
    EXPECT_EQ(html.find("nan"), std::string::npos) << row.name;
    EXPECT_EQ(html.find("inf"), std::string::npos) << row.name;
  }
}

TEST(ConditionHtml, OneThatWasNotAskedYetHasNoSlots) {
  Json one = condition();
  for (const char* name : {"value", "curl", "graph_url", "evaluated_at", "fail_if"})
    one[name] = nullptr;
  one["slots"] = one["points"]["value"] = Json::array();
  one["within"] = "all";
  one["answers"] = one["failing"] = 0;
  for (auto& [name, count] : one["counts"].items()) count = 0;
  const std::string html = condition_html(one);
  EXPECT_THAT(html,
              AllOf(HasSubstr("Value: none yet"), HasSubstr("Of all 0 answers"),
                    HasSubstr("no slot yet"), Not(HasSubstr("<table")), Not(HasSubstr("<svg"))));
}

}  // namespace
}  // namespace rollwatch
