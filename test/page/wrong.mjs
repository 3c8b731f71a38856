// Somebody looks at two releases. The first gets worse and the engine rolls it back; the second gets worse, is paused, and
// the person rolls it back and says why.
import assert from "node:assert/strict";
import { story } from "./browser.mjs";

const REASON = "customers cannot pay: 18 % of requests fail";

await story(async ({ given, ask, open }) => {
  const fleet = await open("/");
  const engines = await open(`/rollouts/${given.engines}`);
  const persons = await open(`/rollouts/${given.persons}`);
  const stayed = [fleet, engines, persons];
  for (const tab of stayed) await tab.page.evaluate("window.sameDocument = true");
  assert.match(await engines.headline(), /checkout 1\.1/);
  await fleet.page.locator('[data-state="analyzing"]', { hasText: "checkout" }).waitFor();

  await ask("worse", { service: "checkout" });
  await engines.page.locator("#app .headline", { hasText: /rolled back/i }).waitFor();
  assert.match(await engines.headline(), /error-rate/);
  await engines.page.locator('.slot.fail').first().waitFor();
  // Nobody has to see a colour to know: the state in words, each failed slot with a name.
  assert.match(await engines.page.locator("main").innerText(), /rolled back/i);
  await fleet.page.locator('[data-state="rolled_back"]', { hasText: "checkout" }).waitFor();

  await ask("worse", { service: "ledger" });
  await persons.page.locator("#app .headline", { hasText: /paused/i }).waitFor();
  await persons.page.getByRole("button", { name: /^Roll back/ }).click();
  const dialog = persons.page.getByRole("dialog");
  await dialog.waitFor();
  await dialog.getByRole("button", { name: /^Roll back/ }).click();
  assert.ok(await dialog.isVisible(), "without a reason nothing is done");
  await dialog.getByLabel(/reason/i).fill(REASON);
  await dialog.getByRole("button", { name: /^Roll back/ }).click();
  assert.ok(await dialog.isVisible(), "nor without a name, where no token says who it is");
  await dialog.getByLabel(/name/i).fill("anna@example.net");
  await dialog.getByRole("button", { name: /^Roll back/ }).click();
  await dialog.waitFor({ state: "hidden" });
  await persons.page.locator("#app .headline", { hasText: /rolled back/i }).waitFor();
  await persons.page.locator("#history").getByText(REASON).first().waitFor();
  const sent = persons.requests.filter((one) => one.method === "POST").map((one) => one.url.pathname);
  assert.deepEqual(sent, [`/api/v1/rollouts/${given.persons}/rollback`]);

  for (const tab of stayed) assert.ok(await tab.page.evaluate("window.sameDocument"), "nothing was loaded anew");
});
