#include "test/cli/client_process.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>

namespace rollwatch::test {
namespace {

constexpr int kHangs = 30'000;  // milliseconds after which a silent client is taken for stuck

void open_pipe(std::array<int, 2>& ends) {
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
}

void open_terminal(std::array<int, 2>& ends) {
  winsize size{};
  size.ws_col = 120;
  size.ws_row = 30;
  if (openpty(&ends[0], &ends[1], nullptr, nullptr, &size) != 0)
    throw std::runtime_error("no terminal");
  for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

ClientProcess::ClientProcess(const std::vector<std::string>& arguments,
                             const std::map<std::string, std::string>& environment, Where where) {
  std::vector<std::string> words{ROLLWATCH_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  const auto argv = pointers(words);
  const auto envp = pointers(variables);

  std::array<int, 2> out{};
  std::array<int, 2> err{};
  open_pipe(out);
  where == Where::kTerminal ? open_terminal(err) : open_pipe(err);
  pid_ = fork();
  if (pid_ == 0) {
    const int in = where == Where::kTerminal ? err[1] : open("/dev/null", O_RDONLY);
    dup2(in, STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(out[1]);
  close(err[1]);
  out_fd_ = out[0];
  err_fd_ = err[0];
}

ClientProcess::~ClientProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (out_fd_ >= 0) close(out_fd_);
  if (err_fd_ >= 0) close(err_fd_);
}

bool ClientProcess::read_some() {
  std::array<pollfd, 2> waiting{{{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}}};
  if ((out_fd_ < 0 && err_fd_ < 0) || poll(waiting.data(), waiting.size(), kHangs) <= 0)
    return false;
  const auto take = [](const pollfd& ready, int& fd, std::string& text) {
    if (ready.revents == 0) return;
    std::array<char, 4096> buffer{};
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    } else {
      close(fd);
      fd = -1;
    }
  };
  take(waiting[0], out_fd_, out_);
  take(waiting[1], err_fd_, err_);
  return true;
}

bool ClientProcess::says(const std::string& text) {
  while (err_.find(text) == std::string::npos) {
    if (err_fd_ < 0 || !read_some()) return false;
  }
  return true;
}

void ClientProcess::type(const std::string& text) {
  if (write(err_fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("the terminal does not take what is typed");
  }
}

void ClientProcess::signal(int number) { kill(pid_, number); }

int ClientProcess::exit_code() {
  while (read_some()) {
  }
  if (out_fd_ >= 0 || err_fd_ >= 0) return -1;
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> ClientProcess::screen() const {
  std::vector<std::string> lines{""};
  std::size_t row = 0;
  for (std::size_t i = 0; i < err_.size(); ++i) {
    if (err_[i] == '\n') {
      if (++row == lines.size()) lines.emplace_back();
    } else if (err_[i] == '\x1b') {
      const std::size_t end = err_.find_first_not_of("[0123456789;", i + 1);
      if (end == std::string::npos) break;
      if (err_[end] == 'F')
        row -= std::min<std::size_t>(row, std::stoul(err_.substr(i + 2, end - i - 2)));
      if (err_[end] == 'J') {
        lines.resize(row + 1);
        lines[row].clear();
      }
      i = end;
    } else if (err_[i] != '\r') {
      lines[row] += err_[i];
    }
  }
  return lines;
}

}  // namespace rollwatch::test
