"""A real terminal for the tests: tmux with a socket, and so a server, of its own."""

import shutil
import subprocess

from harness import wait_until


class Terminal:
    """One window running bash without anybody's settings; `columns` and `rows` as a person's window would have."""

    def __init__(self, folder, columns, rows=24, environment=None):
        self.socket = str(folder / f"tmux-{columns}x{rows}")
        self.environment = {"PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": str(folder),
                            **(environment or {})}
        settings = folder / "tmux.conf"
        settings.write_text("set -g default-terminal screen-256color\nset -g status off\nset -g history-limit 5000\n")
        self.tmux("-f", str(settings), "new-session", "-d", "-s", "test", "-x", str(columns), "-y", str(rows),
                  "env", "-i", *(f"{name}={value}" for name, value in self.environment.items()),
                  "TERM=screen-256color", "PS1=$ ", "bash", "--norc", "--noprofile")
        self.wait_for("$")

    @staticmethod
    def is_here():
        return shutil.which("tmux") is not None

    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, env=self.environment, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"tmux {arguments}: {done.stderr}")
        return done.stdout

    def screen(self):
        """What a person sees, line by line."""
        return self.tmux("capture-pane", "-p", "-t", "test").rstrip("\n").split("\n")

    def all(self):
        """What a person sees and what has scrolled away."""
        return self.tmux("capture-pane", "-p", "-S", "-", "-t", "test").rstrip("\n").split("\n")

    def colours(self):
        """The screen with its escape sequences."""
        return self.tmux("capture-pane", "-p", "-e", "-t", "test")

    def type(self, text):
        self.tmux("send-keys", "-t", "test", "-l", text)

    def press(self, *keys):
        self.tmux("send-keys", "-t", "test", *keys)

    def run(self, command):
        self.type(command)
        self.press("Enter")

    def resize(self, columns, rows=24):
        self.tmux("resize-window", "-t", "test", "-x", str(columns), "-y", str(rows))

    def wait_for(self, *texts):
        """The screen, once it shows all of these."""
        seen = []

        def shown():
            seen[:] = self.screen()
            return all(any(text in line for line in seen) for text in texts)

        wait_until(shown, lambda: f"{texts} on the terminal, which shows:\n" + "\n".join(seen))
        return list(seen)

    def close(self):
        try:
            self.tmux("kill-server")
        except AssertionError:
            pass  # its last window has ended
        return []
