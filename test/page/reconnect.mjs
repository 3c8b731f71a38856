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
});
