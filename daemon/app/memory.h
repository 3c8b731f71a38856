// What the program has freed and the C library keeps: after a burst (a start with ten thousand
// rollouts, a thousand registrations) that can be most of what it holds.
#pragma once

#include <cstddef>

namespace rollwatch {

// As many open files, such as connections, as the system lets this process have; how many.
std::size_t allow_many_files();

// Few threads allocate here: arenas of their own would only scatter what is freed. And what is
// freed is joined with its neighbours at once: glibc would keep some of it apart, and every batch
// of questions, which needs a larger piece, would have it all walked through. Once per process,
// before any thread.
void allocate_together();

// Gives it back to the system if it is much. Takes some milliseconds then. Whether it did.
bool give_memory_back();

// Unmaps the code that was read from files, until it runs again: what only a start needs does not
// count as in use for ever. A second later what is in use is there again, for some hundred page
// faults that find it in the page cache.
void let_go_of_code();

}  // namespace rollwatch
