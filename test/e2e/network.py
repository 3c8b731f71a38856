"""A network namespace of its own, joined to ours by one wire that can be cut: packets are lost, and nobody is told."""

import ctypes
import ipaddress
import os
import shutil
import subprocess
import threading

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def run(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def unusable():
    """Why there can be none here, or None."""
    if not shutil.which("ip"):
        return "there is no ip (Debian's iproute2)"
    try:
        Namespace().close()
    except (subprocess.CalledProcessError, OSError) as error:
        return f"network namespaces cannot be created: {getattr(error, 'stdout', '') or error}".strip()
    return None


class Namespace:
    """Its programs reach `address`, which is ours, over the wire, and their own loopback; nothing else."""

    def __init__(self):
        self.name = f"rollwatch{os.getpid()}"
        self.ours, self.theirs = f"rw{os.getpid()}a", f"rw{os.getpid()}b"
        # Of the range that is set aside for tests of networks (RFC 2544).
        base = int(ipaddress.ip_address("198.18.0.0")) + 4 * (os.getpid() % 32768)
        self.address, there = (str(ipaddress.ip_address(base + host)) for host in (1, 2))
        self.range = f"{ipaddress.ip_address(base)}/30"
        run("netns", "add", self.name)
        try:
            run("link", "add", self.ours, "type", "veth", "peer", "name", self.theirs, "netns", self.name)
            run("addr", "add", f"{self.address}/30", "dev", self.ours)
            run("link", "set", self.ours, "up")
            for command in (("addr", "add", f"{there}/30", "dev", self.theirs), ("link", "set", self.theirs, "up"),
                            ("link", "set", "lo", "up")):
                run("-n", self.name, *command)
        except BaseException:
            self.close()
            raise

    @property
    def prefix(self):
        """Of the command line of a program that is to run inside."""
        return ["ip", "netns", "exec", self.name]

    def inside(self, make):
        """What make() returns inside: a socket stays in the namespace it was made in."""
        result = []

        def enter():
            try:
                with open(f"/var/run/netns/{self.name}", "rb") as namespace:
                    if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                result.append(make())
            except OSError as error:
                result.append(error)

        thread = threading.Thread(target=enter)  # only this thread goes there
        thread.start()
        thread.join()
        if isinstance(result[0], OSError):
            raise result[0]
        return result[0]

    def cut(self):
        run("link", "set", self.ours, "down")

    def mend(self):
        run("link", "set", self.ours, "up")

    def close(self):
        subprocess.run(["ip", "netns", "del", self.name], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["ip", "link", "del", self.ours], stderr=subprocess.DEVNULL, check=False)
