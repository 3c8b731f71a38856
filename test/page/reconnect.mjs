// The daemon is restarted while two pages are open: both say so, and go on where they were.
import assert from "node:assert/strict";
import { story } from "./browser.mjs";

const connection = (tab, state) => tab.page.locator(`[data-connection="${state}"]`);
const banner = (tab) => tab.page.locator(".banner");

await story(async ({ given, ask, open }) => {
  const tabs = [await open("/"), await open(`/rollouts/${given.rollout}`)];
  for (const tab of tabs) {
    await connection(tab, "live").waitFor();
    assert.equal(await banner(tab).count(), 0);
  }

  for (const tab of tabs) tab.away = true;
  await ask("stop");
  for (const tab of tabs) {
    const told = connection(tab, "reconnecting");
    await told.waitFor();
    assert.match(await told.innerText(), /connect/i);
    assert.match(await told.getAttribute("role"), /status|alert/);
    await banner(tab).getByText("What is shown was true at").waitFor();
    assert.match(await tab.page.locator("#app").innerText(), /search/, "what was there stays");
  }

  await ask("start");
  for (const tab of tabs) {
    await connection(tab, "live").waitFor();
    await banner(tab).waitFor({ state: "detached" });
  }

  // What happens from now on is seen again, without a reload.
  await ask("pause");
  await tabs[1].page.locator("#app .headline", { hasText: "lunch" }).waitFor();
  await tabs[0].page.locator('[data-state="paused"]', { hasText: "search" }).waitFor();

  // Nobody looks at it, so that it stops reading; looked at again while the daemon is away, it is not live, and as old as
  // what it was told last.
  const [{ page }] = tabs;
  const becomes = (visibility) => page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange"));
  }, visibility);
  await becomes("hidden");
  await connection(tabs[0], "connecting").waitFor({ timeout: 120_000 });
  const stopped = await page.evaluate(() => Date.now());
  await ask("stop");
  await page.waitForFunction((at) => Date.now() > at + 2000, stopped);
  await becomes("visible");
  await banner(tabs[0]).getByText("What is shown was true at").waitFor();
  const told = /true at .*?(\d\d:\d\d:\d\d)/.exec(await banner(tabs[0]).innerText())[1];
  const before = await page.evaluate((at) => [...Array(60).keys()].map((s) => new Date(at - s * 1000).toTimeString().slice(0, 8)), stopped);
  assert.ok(before.includes(told), `${told} is when something was last heard, ${before[0]} or before`);
  await ask("start");
  for (const tab of tabs) await connection(tab, "live").waitFor();
});
