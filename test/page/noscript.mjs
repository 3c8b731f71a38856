// A link from Slack in a browser without JavaScript: one rollout's page can be read, the others say what to do.
import assert from "node:assert/strict";
import { NARROW, story } from "./browser.mjs";
import { misplaced } from "./looks.mjs";

await story(async ({ given, open }) => {
  const tab = await open(null, { javaScriptEnabled: false });
  const { page } = tab;
  await page.goto(`${given.url}/rollouts/${given.rollout}`);
  const text = await page.locator("main").innerText();
  for (const part of [/checkout 1\.1/, /rolled back/i, /error-rate/, /> 0\.05/, /latency-p99/, /25 ?%/, /fail/i, /rollback/i, /http_requests_total/]) {
    assert.match(text, part);
  }
  assert.match(await page.title(), /checkout/);
  assert.ok((await page.locator("main table, main svg").count()) > 0, "the latest slots are shown");
  const links = await page.locator("main a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  assert.ok(links.some((one) => one.startsWith(`/api/v1/rollouts/${given.rollout}`)), `the JSON is one click away: ${links}`);
  await page.setViewportSize(NARROW);
  assert.deepEqual(await misplaced(page), []);

  for (const path of ["/", "/policies", "/deliveries", "/system"]) {
    await page.goto(given.url + path);
    const said = await page.locator("body").innerText();
    assert.match(said, /JavaScript/);
    assert.match(said, /\/api\/v1\/|rollwatch /, `${path} says what to do instead`);
  }
  const nowhere = await page.goto(`${given.url}/no/such/page`, {});
  assert.equal(nowhere.status(), 404);
  assert.match(nowhere.headers()["content-type"], /text\/html/);
  tab.forgive(/404/);
});
