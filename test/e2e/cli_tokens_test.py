"""A token that the command line makes opens the daemon that was told of it, as far as its scopes reach."""

import json
import unittest

from programs import Cli
from rollout_case import RolloutCase


class Tokens(RolloutCase):
    def line(self, token=None):
        line = Cli(self.server.url)
        if token:
            line.environment["ROLLWATCH_TOKEN"] = token
        return line

    def make(self, name, *more):
        """The token, and what the configuration is to say of it."""
        code, out, err = Cli("http://127.0.0.1:1").run("token", "new", name, *more, "--output", "json")
        self.assertEqual(code, 0, err)
        made = json.loads(out)
        return made["token"], made["configuration"]

    def ends(self, code, said, token, *arguments):
        ended, out, err = self.line(token).run(*arguments)
        self.assertEqual(ended, code, out + err)
        self.assertIn(said, out + err)
        for secret in self.secrets:
            self.assertNotIn(secret, out + err)
        return out

    def test_it_opens_what_its_scopes_say(self):
        reader, of_reader = self.make("reader", "--scopes", "read")
        deployer, of_deployer = self.make("ci", "--scopes", "read,register")
        lead, of_lead = self.make("lead", "--scopes", "read,decide", "--namespaces", "default")
        stranger, of_stranger = self.make("other", "--scopes", "read,register,decide", "--namespaces", "elsewhere")
        forged, _ = self.make("nobody", "--scopes", "read")
        self.secrets = [reader, deployer, lead, stranger, forged]
        self.receiver = self.deployer()
        configuration = self.configuration(self.receiver)
        self.server = self.daemon("\n".join((of_reader, of_deployer, of_lead, of_stranger, configuration))).start()
        service = self.service()
        start = ("start", "--service", service, "--stable", "1.0", "--candidate", "1.1", "--policy", "quick", "--orchestrator",
                 "deployer", "--analysis", '{"steps": [{"weight": 5, "hold": "1h"}]}')
        self.ends(1, "a token is given by", None, "list")
        self.ends(1, "a token is given by", forged, "list")
        self.ends(1, "register", reader, *start)
        rollout = self.ends(0, "ro_", deployer, *start).strip()
        self.ends(0, rollout, reader, "status", rollout)
        self.ends(1, "decide", deployer, "rollback", rollout, "--yes")
        self.ends(1, "", stranger, "status", rollout)
        self.assertEqual(json.loads(self.ends(0, "items", stranger, "list", "--output", "json"))["items"], [])
        self.ends(0, rollout, lead, "rollback", rollout, "--yes")
        self.ends(2, "rolled_back", reader, "wait", rollout)
        self.ends(0, "rolled_back", reader, "logs", rollout)
        for secret in self.secrets:
            self.assertNotIn(secret, self.server.log())


if __name__ == "__main__":
    unittest.main()
