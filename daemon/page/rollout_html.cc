// A rollout's page as a server makes it: for links that are opened in a hurry, without a script.
#include "daemon/page/rollout_html.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "daemon/page/html.h"
#include "daemon/page/page.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

std::string weight_text(const Json& weight) {
  return weight.is_number() ? number_text(weight) + " %" : std::string();
}

std::string fact(std::string_view name, const std::string& html) {
  if (html.empty()) return "";
  return "<dt>" + html_text(name) + "</dt><dd>" + html + "</dd>";
}

std::string joined(const Json& list) {
  std::string text;
  for (const Json& one : list) text += (text.empty() ? "" : ", ") + one.get<std::string>();
  return html_text(text);
}

std::string links_of(const Json& rollout) {
  std::string html;
  for (const auto& [name, url] : rollout.at("links").items())
    html += (html.empty() ? "" : ", ") + html_link(text_of(url), name);
  return html;
}

std::string label_of(const Json& label) {
  if (label.is_null()) return "";
  return html_text(text_of(label.at("label")) + " by " + text_of(label.at("by")) + ": " +
                   text_of(label.at("reason")));
}

std::string facts_of(const Json& rollout) {
  const std::string stable = text_of(rollout.at("stable"));
  const std::string attempt =
      rollout.at("attempt") == 1 ? "" : ", attempt " + number_text(rollout.at("attempt"));
  return "<dl class=\"facts\">" + fact("State", mark_of_state(text_of(rollout.at("state")))) +
         fact("Verdict", html_text(words_of(text_of(rollout.at("verdict"))))) +
         fact("Share of the candidate", weight_text(rollout.at("weight"))) +
         fact("Service",
              html_text(text_of(rollout.at("namespace")) + "/" + text_of(rollout.at("service")) +
                        " in " + text_of(rollout.at("target")))) +
         fact("Versions", html_text((stable.empty() ? "(none)" : stable) + " → " +
                                    text_of(rollout.at("candidate")) + attempt)) +
         fact("Policy", joined(rollout.at("policy"))) +
         fact("Registered", html_time(text_of(rollout.at("created_at"))) + " by " +
                                html_text(text_of(rollout.at("by")))) +
         fact("Last changed", html_time(text_of(rollout.at("updated_at")))) +
         (rollout.at("ended_at").is_null()
              ? ""
              : fact("Ended", html_time(text_of(rollout.at("ended_at"))))) +
         fact("Label", label_of(rollout.at("label"))) + fact("Links", links_of(rollout)) + "</dl>";
}

std::string question_of(const Json& rollout) {
  std::string html;
  const std::string id = html_text(text_of(rollout.at("id")));
  if (!rollout.at("freeze").is_null())
    html += "<p class=\"held\">Held: " + html_text(text_of(rollout.at("freeze"))) + "</p>";
  if (const Json& question = rollout.at("question"); !question.is_null())
    html += "<p class=\"question\">Waits for a person since " +
            html_time(text_of(question.at("since"))) + ": " +
            html_text(text_of(question.at("text"))) + ". <code>rollwatch resume " + id +
            "</code> to go on, <code>rollwatch rollback " + id + "</code> to go back.</p>";
  return html;
}

std::string steps_of(const Json& steps, bool is_over) {
  std::string html = "<section><h2>Steps</h2><ol class=\"steps\">";
  for (const Json& step : steps) {
    const std::string state = text_of(step.at("state"));
    const std::string weight = weight_text(step.at("weight"));
    html += "<li class=\"" + html_text(state) + "\">" +
            (weight.empty() ? "the whole duration" : html_text(weight)) + ": " +
            (state == "current" ? (is_over ? "it ended here" : "here") : html_text(state));
    if (!step.at("began_at").is_null())
      html += ", since " + html_time(text_of(step.at("began_at")));
    if (text_of(step.at("hold")) != "0s") html += ", hold " + html_text(text_of(step.at("hold")));
    html += "</li>";
  }
  return html + "</ol></section>";
}

std::string deliveries_of(const Json& deliveries) {
  Table table({"When", "What", "To", "State", "Attempts", "Last answer"});
  for (const Json& one : deliveries.at("items")) {
    const Json& attempts = one.at("attempts");
    std::string last;
    if (!attempts.empty()) {
      const Json& latest = attempts.back();
      last = latest.at("error").is_null() ? "HTTP " + number_text(latest.at("status"))
                                          : text_of(latest.at("error"));
    }
    const std::string weight =
        one.contains("weight") ? " " + weight_text(one.at("weight")) : std::string();
    table.add({html_time(text_of(one.at("created_at"))),
               html_text(text_of(one.at("class")) + ": " + text_of(one.at("kind")) + weight),
               html_text(text_of(one.at("target"))), html_text(text_of(one.at("state"))),
               std::to_string(attempts.size()), html_text(last)});
  }
  return table.html("Orders and notifications", "None was sent yet.",
                    deliveries.at("earlier").get<std::size_t>());
}

std::string events_of(const Json& events) {
  Table table({"When", "What happened", "By", "In their words"});
  // The newest first, for whoever wants to know why it is as it is.
  const Json& items = events.at("items");
  for (auto one = items.rbegin(); one != items.rend(); ++one) {
    const Json& data = one->at("data");
    table.add({html_time(text_of(one->at("at"))), html_text(text_of(data.at("summary"))),
               html_text(text_of(data.at("by"))),
               html_text(text_of(data.value("reason", Json())))});
  }
  return table.html("What happened", "Nothing yet.", events.at("earlier").get<std::size_t>());
}

std::string json_links(const Json& rollout, const Json& decision) {
  const std::string path = "/api/v1/rollouts/" + html_text(text_of(rollout.at("id")));
  std::string html = "<section><h2>As JSON</h2><ul class=\"links\">";
  const auto add = [&](const std::string& end, std::string_view text) {
    html += "<li><a href=\"" + path + end + "\">" + html_text(text) + "</a></li>";
  };
  add("", "the rollout");
  add("/report", "everything on this page");
  if (!decision.is_null()) add("/explain", "the evidence behind the latest decision");
  add("/evaluations", "every evaluation");
  add("/events", "every event");
  add("/deliveries", "every delivery");
  return html + "</ul></section>";
}

}  // namespace

std::string rollout_main(const Json& report) {
  const Json& rollout = report.at("rollout");
  std::string html =
      "<h1 class=\"headline\">" + html_text(text_of(report.at("headline"))) + "</h1>";
  html += question_of(rollout) + facts_of(rollout) +
          steps_of(report.at("steps"), !rollout.at("ended_at").is_null());
  html += "<section><h2>Conditions</h2>";
  if (report.at("conditions").empty()) html += "<p>This rollout has none.</p>";
  for (const Json& condition : report.at("conditions")) html += condition_html(condition);
  html += "</section>";
  return "<div class=\"server-made\">" + html + deliveries_of(report.at("deliveries")) +
         events_of(report.at("events")) + json_links(rollout, report.at("decision")) + "</div>";
}

}  // namespace rollwatch
