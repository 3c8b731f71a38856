"""Who may see and do what on the page: a token entered once, kept where the person says, and in no address; buttons of
those who may press them."""

import unittest

from page_case import PageCase
from access_test import Token
from programs import Api
from states import HOUR, States


class Tokens(PageCase):
    def test_tokens(self):
        tokens = {name: Token(name, *scopes, namespaces=namespaces) for name, scopes, namespaces in (
            ("dashboard", ["read"], ()), ("oncall", ["read", "decide"], ()), ("ci", ["register"], ()),
            ("shop", ["read", "decide"], ("shop",)), ("deployer", ["read", "register", "decide", "admin"], ()))}
        states = States(self)
        daemon = states.daemon
        daemon.configure("".join(token.table() for token in tokens.values()) + states.configuration)
        daemon.api = Api(daemon.url, tokens["deployer"].secret)
        daemon.start()
        rollouts = {service: self.release(daemon, service, "1.0", "1.1", namespace=namespace, analysis=HOUR)
                    for service, namespace in (("search", "shop"), ("checkout", "payments"))}
        for rollout in rollouts.values():
            daemon.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass")
        self.play("tokens.mjs", {"url": daemon.url, "rollouts": rollouts,
                                 "tokens": {name: token.secret for name, token in tokens.items()}})
        view = daemon.wait_for_state(rollouts["search"], "paused")
        decided = [event["data"] for event in daemon.api.events(view["id"]) if event["data"].get("kind") == "pause"]
        self.assertEqual((decided[0]["token"], decided[0]["reason"]), ("oncall", "a look at the logs"))
        for token in tokens.values():
            self.assertNotIn(token.secret, daemon.log())


if __name__ == "__main__":
    unittest.main()
