"""The command line against a real daemon: every verb's exit code and JSON, reports, restarts, several addresses, TLS."""

import http.server
import json
import os
import signal
import ssl
import subprocess
import threading
import unittest
import xml.etree.ElementTree as xml
from itertools import count

from database import Database
from harness import free_port, wait_until
from programs import Api, Cli, finish
from rollout_case import RolloutCase

HELD = {"steps": [{"weight": 5, "hold": "1h"}]}


class CliCase(RolloutCase):
    def setUp(self):
        self.receiver = self.deployer()
        self.server = self.daemon(self.configuration(self.receiver)).start()
        self.line = self.cli(self.server)

    def begin(self, service=None, **more):
        rollout = self.server.api.register(**self.fields(service or self.service(), orchestrator="deployer",
                                                         analysis=HELD, **more))["id"]
        self.server.wait_for(rollout, lambda r: r["step"], "to have begun")
        return rollout

    def ends(self, code, *arguments, line=None):
        """stdout of a command line that ends with this code."""
        ended, out, err = (line or self.line).run(*arguments)
        self.assertEqual(ended, code, f"rollwatch {arguments}: {out}{err}")
        return out


class EveryVerb(CliCase):
    def test_each_answers_people_and_programs(self):
        rollout = self.begin()
        self.line.environment["XDG_CONFIG_HOME"] = str(self.place.folder / "home")
        rows = [
            (("status", rollout), "id"),
            (("list", "--state", "active"), "items"),
            (("explain", rollout), "decision"),
            (("history", rollout), "items"),
            (("pause", rollout), "state"),
            (("resume", rollout), "state"),
            (("extend", rollout, "--for", "10m"), "state"),
            (("freeze", "default/nobody", "--reason", "stocktaking"), "in_force"),
            (("freeze", "default/nobody", "--lift"), "lifted_by"),
            (("deliveries", "list", rollout), "items"),
            (("orchestrator", "test", "deployer"), "orders"),
            (("token", "new", "ci", "--scopes", "read"), "sha256"),
            (("context", "list"), "items"),
            (("version",), "version"),
            (("rollback", rollout, "--yes"), "state"),
        ]
        for arguments, key in rows:
            with self.subTest(arguments[0]):
                self.assertIn(key, json.loads(self.ends(0, *arguments, "--output", "json")))
        for arguments in (("status", rollout), ("deliveries", "list", rollout), ("history", rollout), ("list",)):
            with self.subTest(arguments[0], output="table"):
                shown = {"deliveries": "deployer", "history": "decided"}.get(arguments[0], rollout)
                self.assertIn(shown, self.ends(0, *arguments))

        started = self.ends(0, "start", "--service", self.service(), "--candidate", "1.1", "--policy", "quick").strip()
        self.assertRegex(started, r"^ro_\w+$")
        self.assertIn(started, self.ends(0, "cancel", started, "--yes"))
        self.ends(4, "wait", started)

    def test_a_pipeline_that_is_retried_elsewhere_goes_on_with_its_rollout(self):
        """Who and where it is, is in the body: the second runner was refused for a reused key."""
        service = self.service()
        for user in ("runner-1", "runner-2"):
            runner = self.cli(self.server)
            runner.environment["USER"] = user
            started = self.ends(0, "start", "--service", service, "--candidate", "1.1", "--policy", "quick", "--analysis",
                                json.dumps(HELD), "--idempotency-key", "pipeline-7", "--output", "json", line=runner)
            self.assertRegex(json.loads(started)["by"], "^runner-1@", user)

    def test_what_is_not_understood_asks_no_server(self):
        nowhere = Cli("http://127.0.0.1:1")
        rows = [
            (["promte", "ro_1"], "did you mean 'promote'?"),
            (["deliveries", "lsit", "ro_1"], "did you mean 'list'?"),
            (["wait", "ro_1", "--timout", "1m"], "did you mean '--timeout'?"),
            (["token", "new", "x", "--scopes", "reed"], "did you mean 'read'?"),
            (["logs", "ro_1", "--output", "json"], "it knows table and jsonl"),
            (["status", "ro_1", "--context", "nowhere"], "no context 'nowhere'"),
            (["status", "ro_1", "--token-file", "/none"], "cannot be read"),
            (["wait", "ro_1", "--junit", "/none/report.xml"], "cannot be written"),
        ]
        for arguments, said in rows:
            with self.subTest(arguments):
                code, out, err = nowhere.run(*arguments)
                self.assertEqual((code, out), (64, ""), err)
                self.assertIn(said, err)
                self.assertIn("see rollwatch --help", err)

    def test_deliveries_are_tried_again(self):
        self.receiver.by_kind["rollback"] = "refuse"
        rollout = self.begin()
        self.ends(0, "rollback", rollout, "--yes")
        self.server.wait_for_state(rollout, "rollback_failed")
        self.ends(5, "wait", rollout)
        deliveries = [json.loads(line) for line in self.ends(0, "deliveries", "list", rollout, "--output", "jsonl").splitlines()]
        self.assertEqual(deliveries, self.server.api.deliveries(rollout))
        refused = [one for one in deliveries if one["kind"] == "rollback" and one["state"] == "refused"]
        self.receiver.by_kind["rollback"] = "ack"
        self.assertIn(refused[0]["id"], self.ends(0, "deliveries", "redeliver", refused[0]["id"], "--reason", "it is back"))
        wait_until(lambda: self.server.api.orders(rollout)[-1]["state"] == "done", "the rollback to be done", [self.server])
        self.ends(1, "deliveries", "redeliver", refused[0]["id"])


class Following(CliCase):
    def test_a_report_says_how_it_ended(self):
        report = self.place.folder / "report.xml"
        good, bad = self.service(), self.service(errors=0.5)
        rows = [(good, 0, "0"), (bad, 2, "2")]
        for service, code, failures in rows:
            with self.subTest(code):
                out = self.ends(code, "start", "--service", service, "--stable", "1.0", "--candidate", "1.1", "--policy",
                                "quick", "--orchestrator", "deployer", "--wait", "--junit", str(report))
                suite = xml.parse(report).getroot().find("testsuite")
                self.assertEqual(suite.get("failures"), failures, report.read_text())
                cases = {case.get("name"): case for case in suite.iter("testcase")}
                self.assertEqual(len(cases), 3)
                self.assertEqual(cases["errors"].find("failure") is not None, code == 2)
                self.assertIn(out.split()[0], report.read_text())
        rollout = self.begin()
        self.ends(124, "wait", rollout, "--timeout", "1s", "--junit", str(report))
        self.assertIn("--timeout passed", xml.parse(report).getroot().find(".//error").get("message"))
        self.ends(1, "wait", "ro_none", "--junit", str(report))
        self.assertIn("could not tell", xml.parse(report).getroot().find(".//error").get("message"))

    def test_a_job_of_github_is_told(self):
        output, summary = self.place.folder / "output", self.place.folder / "summary"
        output.write_text("of=before\n")
        self.line.environment.update(GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary))
        for errors, code, state in ((0.01, 0, "promoted"), (0.5, 2, "rolled_back")):
            ended, out, err = self.line.run("start", "--service", self.service(errors=errors), "--stable", "1.0", "--candidate",
                                            "1.1", "--policy", "quick", "--orchestrator", "deployer", "--wait", "--github")
            self.assertEqual(ended, code, out + err)
            self.assertEqual("::error title=" in err, code == 2)
            self.assertIn(f"id={out.split()[0]}\nstate={state}\n", output.read_text())
        self.assertTrue(output.read_text().startswith("of=before\nid="))
        self.assertEqual(summary.read_text().count("| errors |"), 2, summary.read_text())
        self.line.environment["GITHUB_OUTPUT"] = "/none/output"
        self.ends(4, "wait", self.ended_by("cancel"), "--github")

    def ended_by(self, verb):
        rollout = self.begin()
        self.ends(0, verb, rollout, "--yes")
        return rollout

    def test_a_restart_in_the_middle_is_waited_out(self):
        rollout = self.begin()
        waiting = self.line.begin("wait", rollout)
        told = waiting.stderr.readline()
        self.assertIn("analyzing", told)
        self.server.kill9()
        self.assertIn("lost the server, trying again", self.line_with(waiting, "lost"))
        self.server.start()
        self.line_with(waiting, "back")
        self.ends(0, "rollback", rollout, "--yes")
        code, out, err = finish(waiting)
        self.assertEqual(code, 2, out + err)
        self.assertTrue(out.startswith(f"{rollout} rolled_back: "), out)
        self.assertEqual(out.count("\n"), 1, "stdout is the result only")
        self.assertNotIn("\x1b", told + err, "in a pipe nothing is redrawn")

    def line_with(self, process, text):
        for line in process.stderr:
            if text in line:
                return line
        raise AssertionError(f"it ended without {text}")

    def test_of_several_addresses_one_is_enough(self):
        rollout = self.begin()
        several = Cli(f"http://127.0.0.1:{free_port()}, {self.server.url}")
        self.assertIn(rollout, self.ends(0, "status", rollout, line=several))
        # What the person watches goes on at the other address when the first one is gone.
        front = self.place.add(Front(self.server.url))
        watched = Cli(f"{front.url},{self.server.url}")
        waiting = watched.begin("wait", rollout)
        self.line_with(waiting, "analyzing")
        self.assertTrue(front.served, "the first is asked first")
        front.close()
        self.ends(0, "cancel", rollout, "--yes", line=watched)
        code, out, err = finish(waiting)
        self.assertEqual(code, 4, out + err)

    def test_logs_miss_nothing_and_repeat_nothing(self):
        rollout = self.begin()
        following = self.line.begin("logs", rollout, "--follow", "--output", "jsonl")
        first = json.loads(following.stdout.readline())
        self.assertEqual(first["type"], "registered")
        for restart in (True, True, False):
            self.ends(0, "pause", rollout)
            self.ends(0, "resume", rollout)
            if restart:
                self.server.kill9()
                self.server.start()
        self.ends(0, "rollback", rollout, "--yes")
        seen = [first, *(json.loads(line) for line in following.stdout)]  # until it ends
        code, _, err = finish(following)
        self.assertEqual(code, 0, err)
        history = self.server.api.events(rollout)
        last = next(place for place, event in enumerate(history) if event["type"] == "rolled_back")
        self.assertEqual(seen, history[:last + 1])
        everybody = self.line.begin("logs", "--after", "0", "--type", "rolled_back", "--output", "jsonl")
        self.assertEqual(json.loads(everybody.stdout.readline())["rollout"], rollout)
        everybody.send_signal(signal.SIGINT)
        self.assertEqual(finish(everybody)[0], 130)
        self.assertIn("rolled_back: ", self.ends(0, "logs", rollout, "--type", "rolled_back"))


class SeveralNodes(RolloutCase):
    def test_another_node_goes_on(self):
        database = self.place.add(Database(self.place.folder))
        configuration = (f'[store]\nurl = "{database.url()}"\nlease = "5s"\n' + self.configuration(self.deployer()))
        nodes = [self.daemon(configuration, f"node{number}").start() for number in (1, 2)]
        line = Cli(",".join(node.url for node in nodes))
        rollout = nodes[0].api.register(**self.fields(self.service(), orchestrator="deployer", analysis=HELD))["id"]
        nodes[0].wait_for(rollout, lambda r: r["step"], "to have begun")
        waiting = line.begin("wait", rollout)
        self.assertIn("analyzing", waiting.stderr.readline())
        following = line.begin("logs", rollout, "--follow", "--output", "jsonl")
        seen = [json.loads(following.stdout.readline())]
        nodes[0].kill9()

        def is_decided():  # the other has taken the rollout over
            return nodes[1].api.decide(rollout, "rollback").status in (200, 409)

        wait_until(is_decided, "the other node to decide", [nodes[1]])
        seen += [json.loads(event) for event in following.stdout]
        self.assertEqual(finish(following)[0], 0)
        code, out, err = finish(waiting)
        self.assertEqual(code, 2, out + err)
        history = nodes[1].api.events(rollout)
        last = next(place for place, event in enumerate(history) if event["type"] == "rolled_back")
        self.assertEqual(seen, history[:last + 1])


class Front:
    """Passes calls on to a daemon, perhaps over TLS; and answers 401 to who does not know its token."""

    def __init__(self, url, context=None, token=None):
        self.api, self.token, self.served = Api(url), token, []
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                size = int(self.headers.get("Content-Length") or 0)
                front.answer(self, self.rfile.read(size) or None)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, handler, body):
        self.served.append(handler.path)
        if self.token and handler.headers.get("Authorization") != f"Bearer {self.token}":
            body = b'{"title": "Unauthorized", "detail": "a token is needed"}'
            handler.send_response(401)
        else:
            kept = {name: value for name, value in handler.headers.items() if name == "If-None-Match"}
            answer = self.api.call(handler.command, handler.path, body, **kept)
            handler.send_response(answer.status)
            for name in ("ETag",):
                if answer.headers.get(name):
                    handler.send_header(name, answer.headers[name])
            body = answer.body
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        return []


class Secured(CliCase):
    numbers_of_places = count(1)

    def certificate(self, name):
        folder = self.place.folder
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{name}.key", "-out", f"{name}.pem"],
                       check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return folder / f"{name}.pem", folder / f"{name}.key"

    def front(self, **more):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = self.certificate(f"server{next(self.numbers_of_places)}")
        context.load_cert_chain(certificate, key)
        for authority in more.pop("clients", []):
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(authority)
        return self.place.add(Front(self.server.url, context, **more)), str(certificate)

    def test_a_certificate_is_checked(self):
        front, certificate = self.front()
        other = str(self.certificate("other")[0])
        line = Cli(front.url)
        self.assertIn("items", self.ends(0, "list", "--ca-file", certificate, "--output", "json", line=line))
        for arguments in ((), ("--ca-file", other)):
            code, out, err = line.run("list", *arguments)
            self.assertEqual((code, out), (1, ""), err)
            self.assertIn("certificate", err)
        code, out, err = line.run("list", "--insecure")
        self.assertEqual(code, 0, err)
        self.assertIn("WARNING: --insecure", err)
        line.environment["ROLLWATCH_CA_FILE"] = certificate
        self.ends(0, "list", line=line)

    def test_a_server_that_asks_for_a_certificate_is_shown_one(self):
        mine, key = self.certificate("mine")
        front, certificate = self.front(clients=[mine])
        line = Cli(front.url)
        self.ends(1, "list", "--ca-file", certificate, line=line)
        self.ends(0, "list", "--ca-file", certificate, "--cert-file", str(mine), "--key-file", str(key), line=line)

    def test_a_token_opens_and_is_told_nobody(self):
        front, certificate = self.front(token="rwt_geheim")
        line = Cli(front.url)
        line.environment.update(XDG_CONFIG_HOME=str(self.place.folder / "home"), ROLLWATCH_CA_FILE=certificate)
        token = self.place.folder / "token"
        token.write_text("rwt_geheim\n")
        token.chmod(0o600)
        said = []
        for arguments, environment, code in (
                (["list"], {}, 1),
                (["wait", "ro_1"], {"ROLLWATCH_TOKEN": "rwt_falsch"}, 1),
                (["list"], {"ROLLWATCH_TOKEN": "rwt_geheim"}, 0),
                (["list"], {"ROLLWATCH_TOKEN_FILE": str(token)}, 0),
                (["list", "--token-file", str(token)], {"ROLLWATCH_TOKEN": "rwt_falsch"}, 0)):
            with self.subTest(arguments, **environment):
                one = Cli(front.url)
                one.environment.update(line.environment, **environment)
                ended, out, err = one.run(*arguments)
                self.assertEqual(ended, code, out + err)
                if code == 1:
                    self.assertIn("a token is given by", err)
                said.append(out + err)
        # A context has all of it; its token goes nowhere else.
        self.ends(0, "context", "add", "far", "--server", front.url, "--token-file", str(token), line=line)
        del line.environment["ROLLWATCH_SERVER"]
        self.ends(0, "list", line=line)
        before = len(front.served)
        stranger = self.place.add(Front(self.server.url, token="rwt_geheim"))
        self.ends(1, "list", "--server", stranger.url, line=line)
        self.assertEqual((len(stranger.served), len(front.served)), (1, before))
        self.assertNotIn("geheim", "".join(said))
        self.assertEqual(os.stat(self.place.folder / "home/rollwatch/config.toml").st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
