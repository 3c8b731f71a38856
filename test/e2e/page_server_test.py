"""What the daemon says to a browser, without one: the page's files and their headers, a rollout that is readable without a
script, signing in, and that nothing of a rollout's ever becomes markup."""

import base64
import gzip
import json
import re
import unittest
from html.parser import HTMLParser

from access_test import HOLDING, Token
from programs import Api, Browser
from rollout_case import RolloutCase

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
EVIL = "</script><script>alert(1)</script><!--main--><img src=x onerror=alert(1)>\"'&"
VIEWS = ("/", "/policies", "/policies/quick", "/deliveries", "/system")


class Page(HTMLParser):
    """A page taken apart: every element with its attributes, and its text; what is inline is remembered."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.inline, self.open, self.boot = [], [], [], [], None
        self.feed(text)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.open.append((tag, dict(attributes)))
        self.inline += [(tag, name) for name, _ in attributes if name == "style" or name.startswith("on")]

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tag, attributes = self.open[-1] if self.open else ("", {})
        if tag == "script":
            if attributes.get("type") == "application/json":
                self.boot = json.loads(data)
            else:
                self.inline.append((tag, data))
        elif tag == "style":
            self.inline.append((tag, data))
        else:
            self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def headline(self, html):
        return " ".join(re.search(r'class="headline">([^<]*)<', html)[1].split())


class PageServer(RolloutCase):
    def begin(self, *tokens, **options):
        self.deployer_here = self.deployer(**options)
        text = "".join(token.table() for token in tokens) + self.configuration(self.deployer_here)
        daemon = self.daemon(text).start()
        if tokens:
            daemon.api = Api(daemon.url, tokens[0].secret)
        return daemon

    def open(self, daemon, path, **headers):
        return Browser(daemon.url).get(path, Accept=BROWSER, **headers)

    def assert_policy(self, answer):
        policy = {part.split()[0]: part.split()[1:] for part in answer.headers["Content-Security-Policy"].split(";")}
        self.assertEqual(policy["default-src"], ["'none'"])
        self.assertEqual(policy["script-src"], ["'self'"])
        self.assertEqual(policy["style-src"], ["'self'"])
        self.assertEqual((policy["base-uri"], policy["form-action"], policy["frame-ancestors"]), (["'none'"], ["'self'"], ["'none'"]))
        self.assertNotIn("unsafe", answer.headers["Content-Security-Policy"])
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_files_and_their_headers(self):
        daemon = self.begin()
        if not daemon.api.get("/api/v1/status").json["build"]["page"]:
            self.skipTest("built without npm")
        total = 0
        for view in VIEWS:
            answer = self.open(daemon, view)
            self.assertEqual((answer.status, answer.headers["Content-Type"], answer.headers["Cache-Control"]),
                             (200, "text/html; charset=utf-8", "no-cache"), view)
            self.assert_policy(answer)
            page = Page(answer.text)
            self.assertEqual(page.inline, [], view)
            self.assertEqual(page.boot["me"]["scopes"], ["read", "register", "decide", "admin"])
            self.assertIn("JavaScript", page.text)
            again = self.open(daemon, view, If_None_Match=answer.headers["ETag"])
            self.assertEqual((again.status, again.text), (304, ""))
        scripts, styles = [one["src"] for one in page.all("script") if "src" in one], [one["href"] for one in page.all("link") if one["rel"] == "stylesheet"]
        self.assertEqual((len(scripts), len(styles)), (1, 1))
        for path, kind in ((scripts[0], "text/javascript"), (styles[0], "text/css")):
            self.assertRegex(path, r"^/assets/app-[A-Za-z0-9]+\.(js|css)$")
            browser = Browser(daemon.url)
            plain = browser.get(path)
            self.assertTrue(plain.headers["Content-Type"].startswith(kind))
            packed = browser.get(path, Accept_Encoding="gzip")
            for answer in (plain, packed):
                self.assertEqual(answer.headers["Cache-Control"], "public, max-age=31536000, immutable")
                self.assertIn("Accept-Encoding", answer.headers["Vary"])
                self.assertEqual(browser.get(path, Accept_Encoding=answer.headers.get("Content-Encoding", "identity"),
                                             If_None_Match=answer.headers["ETag"]).status, 304)
            self.assertNotEqual(plain.headers["ETag"], packed.headers["ETag"])
            self.assertEqual(packed.headers["Content-Encoding"], "gzip")
            self.assertEqual(gzip.decompress(packed.body), plain.body)
            self.assertNotIn(b"sourceMappingURL", plain.body)
            total += len(packed.body)
        total += len(gzip.compress(self.open(daemon, "/").body))
        self.assertLess(total, 60_000, "what a browser loads before it asks for data")
        self.assertNotIn("http://", re.sub(r"http://www\.w3\.org/[\w/]+", "", browser.get(scripts[0]).text), "it needs nobody else")
        for method in ("POST", "PUT", "DELETE"):
            self.assertEqual(daemon.api.call(method, "/system", b"{}", described=False).status, 405)

    def test_what_is_not_there(self):
        daemon = self.begin()
        for path in ("/nowhere", "/rollouts", "/rollouts/ro_none", "/policies/a/b"):
            answer = self.open(daemon, path)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, "text/html; charset=utf-8"), path)
            self.assert_policy(answer)
            self.assertIn("There is no page at", Page(answer.text).text)
        for path in ("/api/v1/nothing", "/api", "/-/nothing", "/gates/nothing", "/assets/app-none.js", "/assets/index.html"):
            answer = self.open(daemon, path)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, "application/problem+json"), path)
        self.assertEqual(Api(daemon.url).get("/nowhere", described=False).headers["Content-Type"], "application/problem+json", "a tool is told as a tool")

    def test_a_rollout_says_why_it_was_rolled_back(self):
        daemon = self.begin()
        service = self.service(errors=0.9)
        rollout = daemon.api.register(**self.fields(service, orchestrator="deployer"))["id"]
        daemon.wait_for_state(rollout, "rolled_back")
        answer = self.open(daemon, f"/rollouts/{rollout}")
        self.assertEqual((answer.status, answer.headers["Cache-Control"]), (200, "no-cache"))
        self.assert_policy(answer)
        page = Page(answer.text)
        self.assertEqual(page.inline, [])
        report = daemon.api.get(f"/api/v1/rollouts/{rollout}/report").json
        self.assertEqual(page.headline(answer.text.replace("&gt;", ">")), report["headline"])
        self.assertRegex(report["headline"], rf"^{service} 1\.1 was rolled back: errors 0\.9 > 0\.05, 3 of the last 3$")
        query = f'max(e2e_errors{{service="{service}",version="1.1"}})'
        for text in (report["headline"], query, "5 %: it ended here", "fail", "rollback", "every 500ms", "curl -sG", "order: advance 5 %", "order: rollback 0 %"):
            self.assertIn(text, page.text)
        links = [one.get("href", "") for one in page.all("a")]
        for end in ("", "/report", "/explain", "/evaluations", "/events", "/deliveries"):
            self.assertIn(f"/api/v1/rollouts/{rollout}{end}", links)
            self.assertEqual(daemon.api.get(f"/api/v1/rollouts/{rollout}{end}").status, 200)
        self.assertEqual([one["role"] for one in page.all("svg")], ["img"] * len(page.all("svg")))
        if page.boot:
            self.assertEqual(page.boot["report"]["rollout"]["id"], rollout)
            self.assertEqual(page.boot["report"]["conditions"][0]["query"], query)

    def test_nothing_of_a_rollout_becomes_markup(self):
        daemon = self.begin()
        service = self.service()
        fields = self.fields(service, candidate="1.1", orchestrator="deployer", analysis=HOLDING, by=EVIL, labels={"tier": EVIL},
                             links={"change": "https://git.example.net/\"><img%20src=x>", "bad": "https://x/" + EVIL.replace(" ", "%20")})
        rollout = daemon.api.register(**fields)["id"]
        daemon.wait_for_state(rollout, "analyzing")
        self.assertEqual(daemon.api.decide(rollout, "pause", reason=EVIL, by=EVIL).status, 200)
        html = self.open(daemon, f"/rollouts/{rollout}").text
        page = Page(html)
        self.assertEqual(page.inline, [])
        self.assertEqual(page.all("img"), [])
        self.assertTrue(all("src" in one or one.get("type") == "application/json" for one in page.all("script")), page.all("script"))
        self.assertIn(" ".join(EVIL.split()), page.text, "it is shown as it is")
        self.assertEqual([one["href"] for one in page.all("a") if "javascript" in one.get("href", "")], [])
        if page.boot:
            self.assertEqual(page.boot["report"]["rollout"]["by"], EVIL)
        # Also where the address itself is the text.
        missing = self.open(daemon, "/rollouts/%3Cimg%20src=x%3E")
        self.assertEqual((missing.status, Page(missing.text).all("img")), (404, []))

    def test_signing_in(self):
        anna, register = Token("anna", "read", "register", "decide"), Token("ci", "register")
        daemon = self.begin(anna, register)
        rollout = daemon.api.register(**self.fields(self.service(), orchestrator="deployer", analysis=HOLDING))["id"]
        service = daemon.api.rollout(rollout)["service"]
        for path in (*VIEWS, f"/rollouts/{rollout}", "/rollouts/ro_none"):
            answer = self.open(daemon, path)
            self.assertEqual(answer.status, 200, path)
            self.assertNotIn(service, answer.text)
            boot = Page(answer.text).boot
            self.assertTrue(boot is None or boot["me"] is None and "report" not in boot)
        for path in ("/?signin", f"/rollouts/{rollout}?signin"):
            answer = self.open(daemon, path)
            self.assertEqual((answer.status, answer.headers["WWW-Authenticate"]), (401, 'Basic realm="Rollwatch", charset="UTF-8"'))

        def basic(secret):
            return "Basic " + base64.b64encode(f"anybody:{secret}".encode()).decode()
        known = self.open(daemon, f"/rollouts/{rollout}?signin", Authorization=basic(anna.secret))
        self.assertEqual(known.status, 200)
        self.assertIn(service, known.text)
        self.assertNotIn(anna.secret, known.text)
        unable = self.open(daemon, f"/rollouts/{rollout}", Authorization=basic(register.secret))
        self.assertEqual(unable.status, 200)
        self.assertNotIn(service, unable.text, "it may register, and see nothing")
        wrong = self.open(daemon, f"/rollouts/{rollout}", Authorization=basic("guess"))
        self.assertEqual((wrong.status, wrong.headers["WWW-Authenticate"]), (401, 'Basic realm="Rollwatch", charset="UTF-8"'))
        self.assertEqual(daemon.api.get("/api/v1/me").json, {"name": "anna", "token": "anna", "scopes": ["read", "register", "decide"], "namespaces": []})
        self.assertEqual(Api(daemon.url, register.secret).get("/api/v1/me").json["scopes"], ["register"])
        self.assertEqual(Api(daemon.url).get("/api/v1/me").status, 401)


if __name__ == "__main__":
    unittest.main()
