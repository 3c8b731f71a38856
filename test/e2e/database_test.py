"""A database that insists on TLS and a password: taken from wherever libpq takes it, and told to nobody."""

import subprocess
import unittest

from database import Database
from harness import PlacedTest, wait_until
from programs import Daemon

PASSWORD = "e2e-database-password"
WRONG = "e2e-another-password"
HBA = """local all rollwatch trust
hostssl rollwatch rollwatch 127.0.0.1/32 scram-sha-256
hostssl rollwatch rollwatch ::1/128 scram-sha-256
"""


class DatabaseThatInsists(PlacedTest):
    def setUp(self):
        self.authority = self.place.folder / "ca.pem"
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                     "-addext", "subjectAltName=DNS:localhost", "-keyout", "ca.key", "-out", "ca.pem")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=other",
                     "-keyout", "other.key", "-out", "other.pem")
        files = {"server.pem": self.authority.read_text(), "server.key": (self.place.folder / "ca.key").read_text()}
        self.database = self.place.add(Database(self.place.folder, files=files, hba=HBA, settings=(
            "ssl=on", "ssl_cert_file=server.pem", "ssl_key_file=server.key", "password_encryption=scram-sha-256")))
        self.database.sql(f"ALTER USER rollwatch PASSWORD '{PASSWORD}'")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, cwd=self.place.folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def url(self, password="", authority=None, more=""):
        user = f"rollwatch:{password}" if password else "rollwatch"
        return (f"postgresql://{user}@localhost:{self.database.port}/rollwatch?sslmode=verify-full"
                f"&sslrootcert={authority or self.authority}{more}")

    def secret_file(self, name, text):
        path = self.place.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def daemon(self, name, store, **environment):
        return self.place.add(Daemon(self.place.folder / name, f"[store]\n{store}\n", environment))

    def assert_says_no_password(self, daemon):
        for secret in (PASSWORD, WRONG):
            self.assertNotIn(secret, daemon.log())
            for path in ("/-/ready", "/-/healthy", "/metrics", "/api/v1/nodes", "/api/v1/rollouts"):
                self.assertNotIn(secret, daemon.api.get(path).text)

    def test_a_password_comes_from_wherever_libpq_takes_it(self):
        line = f"localhost:{self.database.port}:rollwatch:rollwatch:{PASSWORD}\n"
        passwords = self.secret_file("pgpass", line)
        daemons = {
            "passfile": self.daemon("passfile", f'url = "{self.url(more=f"&passfile={passwords}")}"'),
            "PGPASSFILE": self.daemon("in_pgpassfile", f'url = "{self.url()}"', PGPASSFILE=str(passwords)),
            "PGPASSWORD": self.daemon("in_pgpassword", f'url = "{self.url()}"', PGPASSWORD=PASSWORD),
            "url_file": self.daemon("in_url_file", f'url_file = "{self.secret_file("url", self.url(PASSWORD))}"'),
        }
        for name, daemon in daemons.items():
            daemon.start()
            self.assertEqual(daemon.api.get("/api/v1/rollouts").status, 200, name)
            self.assert_says_no_password(daemon)
        over_tls = self.database.sql("SELECT bool_and(s.ssl), count(*) > 3 FROM pg_stat_activity a"
                                     " JOIN pg_stat_ssl s USING (pid) WHERE a.application_name = 'rollwatchd'")
        self.assertEqual(over_tls, [["t", "t"]])

    def test_what_is_wrong_is_said_without_the_password_and_mended_without_a_restart(self):
        passwords = self.secret_file("pgpass", f"*:*:*:*:{WRONG}\n")
        rows = {
            "no_password": (self.daemon("no_password", f'url = "{self.url()}"'), "no password supplied", "PGPASSFILE"),
            "wrong_password": (self.daemon("wrong_password", f'url = "{self.url(more=f"&passfile={passwords}")}"'),
                               "password authentication failed", "goes before"),
            "wrong_in_url": (self.daemon("wrong_in_url", f'url_file = "{self.secret_file("url", self.url(WRONG))}"'),
                             "password authentication failed", "goes before"),
            "wrong_authority": (
                self.daemon("wrong_authority", f'url = "{self.url(authority=self.place.folder / "other.pem")}"',
                            PGPASSWORD=PASSWORD), "certificate verify failed", "sslrootcert in store.url must name"),
        }
        for name, (daemon, why, what_to_do) in rows.items():
            daemon.start(wait=False)
            said = wait_until(lambda d=daemon: self.not_ready_because(d), f"{name} to say why it is not ready", [daemon])
            self.assertIn(why, said, name)
            self.assertIn(what_to_do, said, name)
            wait_until(lambda d=daemon, w=why: w in d.log(), f"the log of {name} to say it")
            self.assert_says_no_password(daemon)
        self.secret_file("pgpass", f"*:*:*:*:{PASSWORD}\n")
        daemon = rows["wrong_password"][0]
        wait_until(daemon.is_ready, lambda: f"it to read the file again:\n{daemon.log()}", [daemon])

    def not_ready_because(self, daemon):
        try:
            answer = daemon.api.get("/-/ready")
        except OSError:
            return None
        return answer.text if answer.status == 503 and "starting" not in answer.text else None


if __name__ == "__main__":
    unittest.main()
