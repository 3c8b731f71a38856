// From the first page to a rollback without a mouse; where one is can always be seen.
import assert from "node:assert/strict";
import { story } from "./browser.mjs";

// Who has the focus, by name, and whether it shows.
const focused = (page) => page.evaluate(() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  const shown = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  const name = (one.getAttribute("aria-label") ?? one.innerText ?? one.textContent ?? "").trim().replace(/\s+/g, " ");
  return { tag: one.localName, id: one.id, name, href: one.getAttribute("href"), inMain: Boolean(one.closest("main")), shown };
});

async function tabTo(page, wanted, what) {
  const met = [];
  for (let i = 0; i < 120; ++i) {
    await page.keyboard.press("Tab");
    const one = await focused(page);
    met.push(`${one.tag} ${one.name.slice(0, 40)}`);
    if (one.tag !== "body") assert.ok(one.shown, `one cannot see where one is: ${JSON.stringify(one)}`);
    if (wanted(one)) return one;
  }
  throw new Error(`no ${what} among ${met.join(" | ")}`);
}

await story(async ({ given, open }) => {
  const tab = await open("/");
  const { page } = tab;
  await page.keyboard.press("Tab");
  const skip = await focused(page);
  assert.match(skip.name, /skip/i, "the first stop leads past the menu");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.closest("main") !== null || location.hash === "#app");

  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement?.matches("input[type=search]"));
  await page.keyboard.type("checkout");
  await page.waitForFunction(() => /checkout/.test(location.search), "the filter is in the address");
  await page.locator('main tr, main li').filter({ hasText: "search" }).waitFor({ state: "detached" });
  await tabTo(page, (one) => one.href === `/rollouts/${given.rollout}`, "link to the rollout");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/rollouts/${given.rollout}`);
  await tab.settled();

  await tabTo(page, (one) => /^Roll back/.test(one.name) && one.tag === "button", "button to roll back");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  assert.match((await focused(page)).name, /^Roll back/, "one is back where one was");

  await page.keyboard.press("Enter");
  await dialog.waitFor();
  // The focus stays in the dialog, however often one presses Tab.
  for (let i = 0; i < 12; ++i) {
    await page.keyboard.press("Tab");
    const place = await page.evaluate(() => Boolean(document.activeElement?.closest("dialog, [role=dialog]")) || document.activeElement === document.body);
    assert.ok(place, "the focus left the dialog");
  }
  await dialog.getByLabel(/reason/i).focus();
  await page.keyboard.type("without a mouse");
  await dialog.getByLabel(/name/i).focus();
  await page.keyboard.type("ben");
  await tabTo(page, (one) => /^Roll back/.test(one.name) && one.tag === "button", "button that does it");
  await page.keyboard.press("Enter");
  await page.locator("#app .headline", { hasText: /without a mouse/ }).waitFor();
});
