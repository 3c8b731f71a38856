// What one thread hands to another. The taker gets all that has piled up at once, which is what
// makes a batch out of whatever arrived during the last one.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace rollwatch {

template <class T>
class WorkQueue {
 public:
  // False after close(): the work was not taken.
  [[nodiscard]] bool push(T work) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      waiting_.push_back(std::move(work));
    }
    arrived_.notify_one();
    return true;
  }

  // Waits for work. Empty only after close(), when all that was handed over has been taken.
  std::vector<T> take_all() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    return std::exchange(waiting_, {});
  }

  bool is_empty() {
    const std::lock_guard lock(mutex_);
    return waiting_.empty();
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    arrived_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<T> waiting_;  // guarded by mutex_
  bool closed_ = false;     // guarded by mutex_
};

}  // namespace rollwatch
