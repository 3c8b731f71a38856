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
  void erase() {
    if (drawn_rows_ > 0) surroundings_.err << fmt::format("\x1b[{}F\x1b[J", drawn_rows_);
    drawn_.clear();
    drawn_rows_ = 0;
  }

  // A terminal wraps its lines anew when it gets another width, and may tell so later: how many
  // rows what was drawn since then takes is not known. So the whole screen is.
  void erase_screen() {
    surroundings_.err << "\x1b[H\x1b[J";
    drawn_.clear();
    drawn_rows_ = 0;
  }

  // Draws only what changed, so that a still view does not flicker.
  void draw() {
    Terminal& terminal = surroundings_.terminal;
    const std::size_t columns_before = terminal.columns;
    if (surroundings_.measure) surroundings_.measure(terminal);
    if (terminal.columns != columns_before && drawn_rows_ > 0) erase_screen();
    // The last column stays free: some terminals wrap there.
    const Canvas canvas{terminal.columns - 1, terminal.rows, terminal.colours};
    std::string text;
    std::size_t rows = 0;
    if (!rollout_.is_null()) {
      for (const std::string& line :
           live_view(rollout_, verdict_, trends_, surroundings_.pace.wall(), canvas)) {
        text += line + "\n";
        ++rows;
      }
    }
    if (!note_.empty()) {
      text += cut_to_width(note_, canvas.columns) + "\n";
      ++rows;
    }
    if (text == drawn_) return;
    erase();
    surroundings_.err << text << std::flush;
    drawn_ = std::move(text);
    drawn_rows_ = rows;
  }

  Surroundings& surroundings_;
  nlohmann::json rollout_;
  nlohmann::json verdict_;
  Trends trends_;
  std::string note_;
  std::string drawn_;
  std::size_t drawn_rows_ = 0;
};

}  // namespace

std::unique_ptr<ProgressView> make_progress_view(Surroundings& surroundings) {
  if (surroundings.terminal.redraws) return std::make_unique<RedrawnView>(surroundings);
  return std::make_unique<PlainLines>(surroundings);
}

}  // namespace rollwatch
