#include "daemon/cli/progress.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "daemon/cli/fields.h"
#include "daemon/cli/render.h"
#include "daemon/cli/text.h"

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

 private:
  void erase() {
    if (drawn_lines_ > 0) surroundings_.err << fmt::format("\x1b[{}F\x1b[J", drawn_lines_);
    drawn_.clear();
    drawn_lines_ = 0;
  }

  // Draws only what changed, so that a still view does not flicker.
  void draw() {
    const Terminal& terminal = surroundings_.terminal;
    // The last column stays free: some terminals wrap there.
    const Canvas canvas{terminal.columns - 1, terminal.rows, terminal.colours};
    std::string text;
    std::size_t lines = 0;
    if (!rollout_.is_null()) {
      for (const std::string& line :
           live_view(rollout_, verdict_, surroundings_.pace.wall(), canvas)) {
        text += line + "\n";
        ++lines;
      }
    }
    if (!note_.empty()) {
      text += cut_to_width(note_, canvas.columns) + "\n";
      ++lines;
    }
    if (text == drawn_) return;
    erase();
    surroundings_.err << text << std::flush;
    drawn_ = std::move(text);
    drawn_lines_ = lines;
  }

  Surroundings& surroundings_;
  nlohmann::json rollout_;
  nlohmann::json verdict_;
  std::string note_;
  std::string drawn_;
  std::size_t drawn_lines_ = 0;
};

}  // namespace

std::unique_ptr<ProgressView> make_progress_view(Surroundings& surroundings) {
  if (surroundings.terminal.redraws) return std::make_unique<RedrawnView>(surroundings);
  return std::make_unique<PlainLines>(surroundings);
}

}  // namespace rollwatch
