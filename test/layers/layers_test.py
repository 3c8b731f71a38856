#!/usr/bin/env python3
"""Plants one violation of each kind into an otherwise clean tree and asks that it is reported, there
and nowhere else; and plants what merely looks like one and asks that it is not."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import layers  # noqa: E402

# name, file, its text, what the report must say
VIOLATIONS = [
    ("the pure core includes the daemon", "analysis/a.h", '#include "daemon/net/net.h"\n', "analysis must not include daemon/net"),
    ("the pure core names a library", "analysis/a.cc", "#include <fmt/format.h>\n", "<fmt/format.h> is named only in"),
    ("the pure core names a C header", "analysis/a.cc", "#include <unistd.h>\n", "standard library only"),
    ("notifiers include the configuration", "notifiers/a.cc", '#include "config/settings.h"\n', "notifiers must not include config"),
    ("configuration includes the daemon", "config/a.cc", '#include "daemon/engine/store.h"\n', "config must not include daemon/engine"),
    ("the engine includes a concrete store", "daemon/engine/a.cc", '#include "daemon/storage/sqlite.h"\n', "daemon/engine must not include daemon/storage"),
    ("the API includes the app", "daemon/api/a.cc", '#include "daemon/app/app.h"\n', "daemon/api must not include daemon/app"),
    ("storage includes delivery", "daemon/storage/a.cc", '#include "daemon/delivery/outbox.h"\n', "daemon/storage must not include daemon/delivery"),
    ("the client includes the daemon", "daemon/cli/a.cc", '#include "daemon/http/server.h"\n', "daemon/cli must not include daemon/http"),
    ("SQLite outside the store", "daemon/engine/a.cc", "#include <sqlite3.h>\n", "<sqlite3.h> is named only in daemon/storage"),
    ("TOML outside the configuration", "daemon/app/a.cc", "#include <toml++/toml.h>\n", "<toml++/toml.h> is named only in config"),
    ("a path that is not from the root", "config/a.cc", '#include "settings.h"\n', "not a path from the root"),
    ("spaces inside the include", "analysis/a.h", '  #  include "config/settings.h"\n', "analysis must not include config"),
    ("a header names Beast", "daemon/http/a.h", "#include <boost/beast/http.hpp>\n", "a header names Beast"),
    ("a header names Beast by an alias", "daemon/http/a.h", "beast::flat_buffer b;\n", "a header names Beast"),
    ("a header names nlohmann's json.hpp", "daemon/api/a.h", "#include <nlohmann/json.hpp>\n", "json_fwd.hpp"),
    ("the wall clock", "daemon/engine/a.cc", "auto t = std::chrono::system_clock::now();\n", "reads the real clock"),
    ("the steady clock", "daemon/delivery/a.cc", "auto t = std::chrono::steady_clock::now();\n", "reads the real clock"),
    ("C's time", "analysis/a.cc", "auto t = std::time(nullptr);\n", "reads the real clock"),
    ("gettimeofday", "daemon/http/a.cc", "gettimeofday(&t, nullptr);\n", "reads the real clock"),
    ("clock_gettime", "daemon/storage/a.cc", "clock_gettime(CLOCK_REALTIME, &t);\n", "reads the real clock"),
    ("a clock read in a test", "test/engine/a_test.cc", "auto t = std::chrono::steady_clock::now();\n", "reads the real clock"),
    ("sleep_for", "test/engine/a_test.cc", "std::this_thread::sleep_for(1s);\n", "sleeps"),
    ("usleep", "daemon/delivery/a.cc", "usleep(100);\n", "sleeps"),
    ("sleep", "daemon/app/a.cc", "sleep(1);\n", "sleeps"),
    ("a folder nobody has drawn", "daemon/cache/a.cc", "int x;\n", "not in the table of arrows"),
]

INNOCENT = [
    ("arrows that point down", "daemon/engine/a.cc", '#include "analysis/plan.h"\n#include "daemon/net/net.h"\n#include <vector>\n'),
    ("its own folder", "analysis/b.cc", '#include "analysis/a.h"\n'),
    ("app names everything", "daemon/app/a.cc", '#include "daemon/storage/sqlite.h"\n#include "config/load.h"\n'),
    ("a test names any library", "test/storage/a_test.cc", "#include <sqlite3.h>\n"),
    ("a comment that mentions an include", "analysis/a.h", '// #include "daemon/net/net.h"\n/* beast:: and\n sleep(1); */\n'),
    ("a string that mentions a clock", "daemon/api/a.cc", 'auto s = "system_clock::now()"; auto r = R"x(sleep(1);)x";\n'),
    ("a comment sign inside a string", "daemon/api/a.cc", 'auto s = "http://host/*"; int n = 1\'000\'000; auto t = "*/";\n'),
    ("json_fwd in a header, json in a unit", "daemon/api/a.h", "#include <nlohmann/json_fwd.hpp>\n"),
    ("our own clock's sleep", "daemon/engine/a.cc", "co_await clock_.sleep(span); co_await clock_.sleep_until(slot);\n"),
    ("a column called time", "daemon/storage/a.cc", "at = row.time(0); at = row->time(0);\n"),
    ("the clock's home", "daemon/net/system_clock.cc", "auto t = std::chrono::system_clock::now();\n"),
    ("the command line waits", "daemon/cli/a.cc", "std::this_thread::sleep_for(1s);\n"),
]


class Layers(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = Path(root) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return layers.check(root)

    def test_each_violation_is_reported_at_its_line(self):
        for name, path, text, says in VIOLATIONS:
            with self.subTest(name):
                line = 1 if "not in the table" in says else 3
                found = self.check({path: "// What this is.\n\n" + text, "analysis/clean.h": "#include <vector>\n"})
                self.assertEqual(len(found), 1, found)
                self.assertIn(says, found[0])
                self.assertTrue(found[0].startswith(f"{path}:{line}: "), found[0])

    def test_what_only_looks_like_one_is_not(self):
        for name, path, text in INNOCENT:
            with self.subTest(name):
                self.assertEqual(self.check({path: text}), [])

    def test_at_most_eight_units_touch_sockets(self):
        unit = "co_await net::async_read(socket, buffer);\n"
        eight = {f"daemon/http/{i}.cc": unit for i in range(8)}
        self.assertEqual(self.check(eight), [])
        found = self.check({**eight, "daemon/http/9.cc": "co_await stream.async_connect(endpoint);\n"})
        self.assertEqual(len(found), 1, found)
        self.assertIn("9 units contain async_read", found[0])


if __name__ == "__main__":
    unittest.main()
