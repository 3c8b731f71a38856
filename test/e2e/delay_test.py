"""ingestion_delay = "auto": measured, shown, used for every slot, and taken back by a reload."""

import unittest

from harness import wait_until
from metrics_server import ToldMetrics
from programs import milliseconds
from rollout_case import RolloutCase

METRIC = "rollwatch_datasource_ingestion_delay_seconds"


class LateServer(ToldMetrics):
    """Answers the question for the lag with this many seconds, and every other one with 0.01."""

    def __init__(self, lag):
        self.lag = lag
        self.times = []  # asked for, of everything else
        super().__init__()

    def value_of(self, query, at, headers):
        if "timestamp(up)" in query:
            return self.lag
        self.times.append(round(at * 1000))
        return super().value_of(query, at, headers)


class Delay(RolloutCase):
    def configuration_with(self, late, delay):
        return f'''
[datasource.default]
url = "{late.url}"
ingestion_delay = {delay}
[datasource.young]
url = "{self.prometheus.url}"
ingestion_delay = "auto"
[datasource.fixed]
url = "{self.prometheus.url}"
ingestion_delay = "2s"
[policy.quick]
duration = "20m"
interval = "500ms"
condition = [ {{ name = "errors", query = "errors > 0.05" }} ]
'''

    def test_measured_shown_and_used(self):
        late = self.place.add(LateServer(17.4))
        server = self.daemon(self.configuration_with(late, '"auto"')).start()
        delays = {name: server.metric(METRIC, datasource=name) for name in ("default", "young", "fixed")}
        # A Prometheus that is younger than ten minutes tells nothing: what is usual is taken.
        self.assertEqual(delays, {"default": 18, "young": 15, "fixed": 2})
        self.assertIn('datasource young: ingestion_delay = "auto" needs series of "up"', server.log())
        self.assertIn("datasource default: ingestion_delay is measured as 18s, was 15s", server.log())

        rollout = server.api.register(**self.fields("shop", policy="quick"))["id"]
        wait_until(lambda: server.api.evaluations(rollout), "the first slot", [server])
        first = server.api.evaluations(rollout)[0]
        self.assertEqual((first["outcome"], milliseconds(first["slot"]) - milliseconds(first["evaluated_at"])),
                         ("pass", 18000))
        self.assertIn(milliseconds(first["evaluated_at"]), late.times)

        server.configure(self.configuration_with(late, '"16s"'))
        self.assertEqual(server.api.call("POST", "/-/reload").status, 200)
        self.assertEqual(server.metric(METRIC, datasource="default"), 16)
        wait_until(lambda: any(milliseconds(e["slot"]) - milliseconds(e["evaluated_at"]) == 16000
                               for e in server.api.evaluations(rollout)), "a slot with the new delay", [server])

        # Back to a longer one: nothing is looked at twice, and no slot is without a record.
        server.configure(self.configuration_with(late, '"18s"'))
        self.assertEqual(server.api.call("POST", "/-/reload").status, 200)
        wait_until(lambda: server.api.evaluations(rollout)[-1]["outcome"] == "pass"
                   and any(e.get("cause") == "delay" for e in server.api.evaluations(rollout)),
                   "slots that were missed for the delay, and passes after them", [server])
        by_condition = self.assert_no_gaps(server, rollout)
        asked = [milliseconds(e["evaluated_at"]) for e in by_condition["errors"] if e["outcome"] != "missed"]
        self.assertEqual(asked, sorted(set(asked)), "forward, and each once")
        self.assertEqual(server.api.rollout(rollout)["state"], "analyzing")


if __name__ == "__main__":
    unittest.main()
