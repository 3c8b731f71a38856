"""Debian's PostgreSQL on a port of its own, and a way to it that can be cut without closing anything."""

import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import threading

from harness import free_port, wait_until

PROGRAMS = "/usr/lib/postgresql/15/bin"


def as_server_user(*arguments):
    """The server does not run as root; if the test does, it is the package's own user."""
    if os.geteuid() != 0:
        return list(arguments)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", *arguments]


class Database:
    """No durability: no machine loses its power in a test. `settings` are more of postgresql.conf, `files` stand beside
    the data and are readable by the server alone, `hba` is all of pg_hba.conf; without it everybody here is let in."""

    def __init__(self, folder, settings=(), files=None, hba=None, listen="127.0.0.1"):
        self.settings, self.listen = settings, listen
        self.folder = folder / "postgres"
        self.folder.mkdir(parents=True)
        self.process = None
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            for path in (folder, self.folder):
                os.chmod(path, 0o755)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        subprocess.run(as_server_user(f"{PROGRAMS}/initdb", "-D", f"{self.folder}/data", "--no-sync", "-A", "trust",
                                      "-U", "rollwatch", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"),
                       check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
        for name, text in {**(files or {}), **({"pg_hba.conf": hba} if hba else {})}.items():
            path = self.folder / "data" / name
            path.write_text(text)
            path.chmod(0o600)
            if os.geteuid() == 0:
                os.chown(path, user.pw_uid, user.pw_gid)
        for _ in range(5):  # somebody may take the port in between
            self.port = free_port()
            if self.start():
                break
        else:
            raise AssertionError("postgres does not start:\n" + self.log())
        self.sql("CREATE DATABASE rollwatch", "postgres")

    def url(self, port=None):
        return f"postgresql://rollwatch@127.0.0.1:{port or self.port}/rollwatch"

    def log(self):
        return (self.folder.parent / "postgres.log").read_text(errors="replace")

    def start(self):
        settings = [f"listen_addresses={self.listen}", f"unix_socket_directories={self.folder}", "fsync=off",
                    "max_connections=200", "shared_buffers=64MB", *self.settings]
        with open(self.folder.parent / "postgres.log", "ab") as log:
            self.process = subprocess.Popen(
                as_server_user(f"{PROGRAMS}/postgres", "-D", f"{self.folder}/data", "-p", str(self.port),
                               *(word for setting in settings for word in ("-c", setting))),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        wait_until(lambda: self.process.poll() is not None or self.answers(), lambda: "postgres: " + self.log())
        return self.process.poll() is None

    def answers(self):
        return subprocess.run([f"{PROGRAMS}/pg_isready", "-q", "-h", str(self.folder), "-p", str(self.port)],
                              stdout=subprocess.DEVNULL).returncode == 0

    def stop(self):
        """Fast shutdown: sessions are ended, what is committed stays."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def restart(self):
        self.stop()
        assert self.start(), self.log()

    def sql(self, statement, database="rollwatch"):
        """Rows of texts."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p", str(self.port),
                               "-U", "rollwatch", "-d", database, "-c", statement],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{statement}: {done.stderr}")
        return [line.split("|") for line in done.stdout.splitlines()]

    def cut_sessions(self):
        """Ends every session of a daemon, wherever it is."""
        self.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'rollwatchd'")

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def here(make):
    return make()


class Relay:
    """Passes bytes to a server on loopback until it is cut: then nothing passes, and nothing is closed. `at_clients` and
    `at_server` make the sockets of either side: the loopback of another network namespace is another one."""

    def __init__(self, server_port, port=0, at_clients=here, at_server=here):
        self.server_port, self.at_server = server_port, at_server
        self.is_cut = False
        self.ended = False
        self.passed_on = 0  # bytes, from clients to the server
        self.other = {}  # socket: the one it is passed to
        self.clients = set()
        self.listener = at_clients(lambda: socket.create_server(("127.0.0.1", port)))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def cut(self):
        self.is_cut = True

    def mend(self):
        self.is_cut = False

    def accept(self):
        client, _ = self.listener.accept()
        try:
            server = self.at_server(lambda: socket.create_connection(("127.0.0.1", self.server_port), timeout=5))
        except OSError:
            client.close()
            return
        for one in (client, server):
            one.settimeout(None)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.other[client], self.other[server] = server, client
        self.clients.add(client)

    def drop(self, one):
        two = self.other.pop(one, None)
        self.clients -= {one, two}
        if two is not None:
            self.other.pop(two, None)
            two.close()
        one.close()

    def run(self):
        while not self.ended:
            if self.is_cut:
                select.select([], [], [], 0.02)
                continue
            ready, _, _ = select.select([self.listener, *self.other], [], [], 0.02)
            for one in ready:
                if self.is_cut:
                    break
                if one is self.listener:
                    self.accept()
                    continue
                if one not in self.other:
                    continue
                try:
                    data = one.recv(65536)
                    if data:
                        if one in self.clients:
                            self.passed_on += len(data)
                        self.other[one].sendall(data)
                    else:
                        self.drop(one)
                except OSError:
                    self.drop(one)

    def close(self):
        self.ended = True
        self.thread.join()
        for one in list(self.other):
            one.close()
        self.listener.close()
