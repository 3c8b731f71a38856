#include "test/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace rollwatch {

namespace {

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// The environment of the child, as execvpe wants it.
std::vector<std::string> environment(const std::map<std::string, std::string>& added) {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string::npos) all[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : added) all[name] = value;
  std::vector<std::string> lines;
  for (const auto& [name, value] : all) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

TempDir::TempDir(Where where) {
  const std::filesystem::path memory = "/dev/shm";
  const bool in_memory = where == Where::kMemory && access(memory.c_str(), W_OK | X_OK) == 0;
  const auto base = in_memory ? memory : std::filesystem::temp_directory_path();
  std::string name = (base / "rollwatch-test-XXXXXX").string();
  if (!mkdtemp(name.data())) throw_errno("mkdtemp");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw_errno("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  close(fd);
  if (!bound) throw_errno("bind");
  return ntohs(address.sin_port);
}

bool wait_until(const std::function<bool()>& condition, Millis limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return condition();
    std::this_thread::sleep_for(Millis{5});
  }
  return true;
}

Process::Process(const ProcessOptions& options) : log_file_(directory_ / "log") {
  std::vector<std::string> argv_text = options.argv;
  std::vector<std::string> env_text = environment(options.env);
  const std::vector<char*> argv = pointers(argv_text);
  const std::vector<char*> env = pointers(env_text);
  const int log = open(log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) throw_errno("open");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw_errno("fork");
  if (pid_ == 0) {
    // Only what is safe between fork and exec.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = open("/dev/null", O_RDONLY);
    const bool ready = getppid() == parent && dup2(null, 0) >= 0 && dup2(log, 1) >= 0 &&
                       dup2(log, 2) >= 0 &&
                       (options.directory.empty() || chdir(options.directory.c_str()) == 0);
    if (ready) execvpe(argv[0], argv.data(), env.data());
    _exit(127);
  }
  setpgid(pid_, pid_);  // both sides do it: whoever comes first
  close(log);
}

Process::~Process() { kill(); }

bool Process::running() { return !wait(Millis{0}); }

void Process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

void Process::freeze() {
  signal(SIGSTOP);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT);
}

void Process::kill() {
  if (reaped_) return;
  // What the child started may outlive it. The child is only reaped here, so that until now its
  // number cannot have become another process's.
  ::kill(-pid_, SIGKILL);
  wait();
  waitpid(pid_, nullptr, 0);
  reaped_ = true;
}

std::optional<int> Process::wait(Millis limit) {
  const auto ended = [this] {
    if (exit_code_) return true;
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid != pid_) {
      return false;
    }
    exit_code_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    return true;
  };
  wait_until(ended, limit);
  return exit_code_;
}

Finished run_program(const ProcessOptions& options) {
  Process process(options);
  const std::optional<int> code = process.wait();
  return {code.value_or(124), process.log()};
}

}  // namespace rollwatch
