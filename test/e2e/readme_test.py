"""The documentation does what it says: the README's example is run, every configuration in it is checked,
and every link leads somewhere."""

import json
import os
import re
import subprocess
import unittest
from pathlib import Path

from harness import SOURCE, PlacedTest, built, free_port, wait_until
from programs import Api, check_config
from receivers import SECRET, signature
from rollout_case import RolloutCase

PAGES = [SOURCE / "README.md", SOURCE / "CHANGELOG.md", *sorted((SOURCE / "docs").rglob("*.md"))]
FRAGMENT = "<!-- fragment -->"  # a block that belongs to a policy `web`, and is no whole file


def blocks(text):
    """(language, what stands before it, content) of every fenced block."""
    found = []
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        found.append((match[1], text[:match.start()].rstrip().rsplit("\n", 1)[-1], match[2]))
    return found


class Example(RolloutCase):
    def test_ten_lines(self):
        """The README's file and commands as they stand there. Only what a test cannot have is different: the
        ports of the metrics server and of rollwatchd, and seconds where the README has minutes."""
        text = (SOURCE / "README.md").read_text()
        section = text[text.index("## Ten lines"):]
        toml, shell = [content for language, _, content in blocks(section)][:2]
        self.assertIn("127.0.0.1:9090", toml)
        port = free_port()
        quick = toml.replace("http://127.0.0.1:9090", self.prometheus.url)
        quick = quick.replace('hold = "2m"', 'hold = "2s"').replace('hold = "5m"', 'hold = "2s"')
        quick += f'\n[server]\nlisten = "127.0.0.1:{port}"\n[defaults]\ninterval = "1s"\nwindow = "3s"\n'
        (self.place.folder / "rollwatch.toml").write_text(quick)

        programs = self.place.folder / "bin"
        programs.mkdir()
        os.symlink(built("ROLLWATCH_TEST_DAEMON", "rollwatchd"), programs / "rollwatchd")
        os.symlink(built("ROLLWATCH_TEST_CLI", "rollwatch"), programs / "rollwatch")
        for code in ("200", "500"):
            self.exposition.set("http_requests_total", 1000, app="checkout", version="1.24", code=code)
        self.prometheus.wait_for('count(http_requests_total{app="checkout"})', 2)
        script = shell + "\nended=$?\nkill $!\nwait $!\nexit $ended\n"
        with open(self.place.folder / "script.log", "w") as log:
            running = subprocess.Popen(
                ["bash", "-c", script], cwd=self.place.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}",
                     "ROLLWATCH_SERVER": f"http://127.0.0.1:{port}"})
        try:
            api = Api(f"http://127.0.0.1:{port}")
            rollout = wait_until(lambda: self.registered(api, running), "the rollout to be registered")
            # Nobody is told, so whoever moves the traffic reports how far it got; and there is traffic.
            served = 1000
            for weight in (5, 25):
                answer = api.call("POST", f"/api/v1/rollouts/{rollout}/progress", {"weight": weight})
                self.assertEqual(answer.status, 200, answer)

                def passing():
                    nonlocal served
                    served += 1
                    self.exposition.set("http_requests_total", served, app="checkout", version="1.24", code="200")
                    try:
                        view = api.rollout(rollout)
                    except OSError:  # promoted, and the script has stopped the daemon
                        return running.wait(timeout=90) == 0
                    return view["state"] == "promoted" or view["verdict"] == "passing"
                wait_until(passing, f"{weight} % to pass")
            self.assertEqual(running.wait(timeout=90), 0, self.place.logs())
        finally:
            if running.poll() is None:
                running.kill()
        said = (self.place.folder / "script.log").read_text()
        self.assertIn("rollwatch.toml is good", said)
        self.assertIn("promoted: checkout 1.23 → 1.24", said)

    def registered(self, api, running):
        self.assertIsNone(running.poll(), self.place.logs())
        try:
            items = api.get("/api/v1/rollouts").json["items"]
        except OSError:
            return None
        return items[0]["id"] if items and items[0]["state"] == "analyzing" else None


class Pages(PlacedTest):
    def make_server_certificate(self):
        """server.crt and server.key, which a page names."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=server", "-keyout", self.place.folder / "server.key",
                        "-out", self.place.folder / "server.crt"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (self.place.folder / "server.key").chmod(0o600)

    def test_every_configuration_is_good(self):
        checked = 0
        self.make_server_certificate()
        for page in PAGES:
            for number, (language, before, content) in enumerate(blocks(page.read_text())):
                if language != "toml":
                    continue
                with self.subTest(page=page.name, block=number):
                    text = content
                    if before == FRAGMENT:
                        text = '[datasource.default]\nurl = "http://127.0.0.1:9090"\n[policy.web]\nduration = "10m"\n' + content
                    file = self.place.folder / f"{page.stem}-{number}.toml"
                    file.write_text(self.with_service_account(text))
                    code, said = check_config(file, **dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "x"))
                    self.assertEqual(code, 0, said + text)
                    self.assertNotIn("warning", said, "what people copy warns of nothing")
                    checked += 1
        self.assertGreaterEqual(checked, 4)

    def with_service_account(self, text):
        """Inside a cluster these files are there."""
        for name in ("token", "ca.crt"):
            (self.place.folder / name).write_text("x\n")
            (self.place.folder / name).chmod(0o600)
        return text.replace("/var/run/secrets/kubernetes.io/serviceaccount", str(self.place.folder))

    def test_every_configuration_file_is_good(self):
        environment = {"DEPLOYER_SECRET": SECRET, "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/X",
                       "GRAFANA_TOKEN": "glsa_x"}
        files = [SOURCE / "config" / "rollwatch.example.toml", SOURCE / "config" / "demo" / "rollwatch.toml",
                 *sorted((SOURCE / "config" / "policies").glob("*.toml"))]
        for file in files:
            with self.subTest(file.name):
                folder = self.place.folder / file.stem / file.parent.name
                folder.mkdir(parents=True)
                # The demo's is a template: ./quickstart fills in the ports, and writes the secret beside it.
                text = re.sub(r"@\w+@", lambda _: str(free_port()), file.read_text())
                (folder / "deployer.secret").write_text(SECRET + "\n")
                (folder / "deployer.secret").chmod(0o600)
                if file.parent.name == "policies":
                    text = '[datasource.default]\nurl = "http://127.0.0.1:9090"\n' * ("[datasource" not in text) + text
                (folder / "rollwatch.toml").write_text(text)
                code, said = check_config(folder / "rollwatch.toml", **environment)
                self.assertEqual(code, 0, said)
                self.assertNotIn("warning", said, "what people copy warns of nothing")

    def test_every_json_block_is_json(self):
        for page in PAGES:
            for number, (language, _, content) in enumerate(blocks(page.read_text())):
                if language == "json":
                    with self.subTest(page=page.name, block=number):
                        self.assertIsInstance(json.loads(content), dict)

    def test_every_link_leads_somewhere(self):
        links = 0
        for page in PAGES:
            # A code block or span may hold brackets that are no links.
            prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
            prose = re.sub(r"`[^`\n]*`", "", prose)
            for target in re.findall(r"\]\(([^)\s]+)\)", prose):
                if re.match(r"[a-z]+:", target):
                    continue
                with self.subTest(page=page.name, link=target):
                    links += 1
                    path, _, anchor = target.partition("#")
                    file = (page.parent / path).resolve() if path else page
                    self.assertTrue(file.exists(), f"{page}: {target}")
                    if anchor:
                        self.assertIn(anchor, self.anchors(file))
        self.assertGreaterEqual(links, 10)

    def anchors(self, page):
        """As GitHub makes them of headings."""
        prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
        headings = re.findall(r"^#+ (.*)$", prose, re.M)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    def test_the_receiver_by_hand_knows_a_genuine_order(self):
        text = (SOURCE / "docs" / "orders.md").read_text()
        code = next(content for language, _, content in blocks(text) if language == "python")
        page = {}
        exec(compile(code, "orders.md", "exec"), page)
        now = page["time"].time()
        for name, at, body, expected in (("genuine", now, b"{}", True), ("another body", now, b"{ }", False),
                                         ("played again", now - 600, b"{}", False)):
            with self.subTest(name):
                stamp = str(int(at))
                headers = {"webhook-id": "ord_1", "webhook-timestamp": stamp,
                           "webhook-signature": signature(SECRET, "ord_1", stamp, b"{}")}
                self.assertEqual(page["is_genuine"](SECRET, headers, body), expected)


if __name__ == "__main__":
    unittest.main()
