#include "daemon/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

#include "daemon/cli/fields.h"
#include "daemon/cli/render.h"
#include "daemon/cli/text.h"
#include "daemon/cli/trend.h"

namespace rollwatch {
namespace {

class PlainLines : public ProgressView {
 public:
  explicit PlainLines(Surroundings& surroundings) : err_(surroundings.err) {}

  void show(const nlohmann::json& rollout, const nlohmann::json&) override {
    const std::string seen = progress_text(rollout);
    if (seen != seen_) {
      seen_ = seen;
      err_ << progress_line(rollout) << std::endl;
    }
    const std::string question = question_text(rollout);
    if (question != question_) {
      question_ = question;
      err_ << question << std::flush;
    }
  }

  void note(const std::string& text) override { say(text); }
  void say(const std::string& text) override { err_ << text << std::endl; }
  void remember(const nlohmann::json&) override {}
  bool shows_trends() const override { return false; }
  void tick() override {}

 private:
  std::ostream& err_;
  std::string seen_;
  std::string question_;
};

// Columns a line takes, without the colours in it.
std::size_t shown_width(std::string_view line) {
  std::string plain;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      i = std::min(line.find('m', i), line.size());
    } else {
      plain += line[i];
    }
  }
  return text_width(plain);
}

class RedrawnView : public ProgressView {
 public:
  explicit RedrawnView(Surroundings& surroundings) : surroundings_(surroundings) {}

  void show(const nlohmann::json& rollout, const nlohmann::json& verdict) override {
    rollout_ = rollout;
    verdict_ = verdict;
    trends_.add_rollout(rollout);
    note_.clear();
    draw();
  }

  void note(const std::string& text) override {
    note_ = text;
    draw();
  }

  // Above the view, which is drawn again below it.
  void say(const std::string& text) override {
    erase();
    surroundings_.err << text << "\n" << std::flush;
    draw();
  }

  void tick() override { draw(); }
  void remember(const nlohmann::json& evaluation) override { trends_.add_evaluation(evaluation); }
  bool shows_trends() const override { return true; }

 private:
  // On a terminal that has become narrower, what was one line takes several.
  void erase() {
    std::size_t rows = 0;
    const std::size_t columns = std::max<std::size_t>(1, surroundings_.terminal.columns);
    for (const std::size_t width : drawn_widths_)
      rows += std::max<std::size_t>(1, (width + columns - 1) / columns);
    if (rows > 0) surroundings_.err << fmt::format("\x1b[{}F\x1b[J", rows);
    drawn_.clear();
    drawn_widths_.clear();
  }

  // Draws only what changed, so that a still view does not flicker.
  void draw() {
    Terminal& terminal = surroundings_.terminal;
    if (surroundings_.measure) surroundings_.measure(terminal);
    // The last column stays free: some terminals wrap there.
    const Canvas canvas{terminal.columns - 1, terminal.rows, terminal.colours};
    std::string text;
    std::vector<std::size_t> widths;
    if (!rollout_.is_null()) {
      for (const std::string& line :
           live_view(rollout_, verdict_, trends_, surroundings_.pace.wall(), canvas)) {
        text += line + "\n";
        widths.push_back(shown_width(line));
      }
    }
    if (!note_.empty()) {
      const std::string line = cut_to_width(note_, canvas.columns);
      text += line + "\n";
      widths.push_back(text_width(line));
    }
    if (text == drawn_) return;
    erase();
    surroundings_.err << text << std::flush;
    drawn_ = std::move(text);
    drawn_widths_ = std::move(widths);
  }

  Surroundings& surroundings_;
  nlohmann::json rollout_;
  nlohmann::json verdict_;
  Trends trends_;
  std::string note_;
  std::string drawn_;
  std::vector<std::size_t> drawn_widths_;
};

}  // namespace

std::unique_ptr<ProgressView> make_progress_view(Surroundings& surroundings) {
  if (surroundings.terminal.redraws) return std::make_unique<RedrawnView>(surroundings);
  return std::make_unique<PlainLines>(surroundings);
}

}  // namespace rollwatch
