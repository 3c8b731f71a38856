// The page as docs/tour.md shows it: the fleet, and the release that was rolled back. Everything the tour has in bold is there.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { story } from "./browser.mjs";

await story(async ({ given, open }) => {
  mkdirSync(given.images, { recursive: true });
  const told = [];
  let rollout;
  for (const colorScheme of ["light", "dark"]) {
    const tab = await open("/", { colorScheme, viewport: { width: 1440, height: 560 } });
    await tab.page.locator('[data-connection="live"]').waitFor();
    told.push(await tab.page.locator("body").innerText());
    await tab.page.screenshot({ path: path.join(given.images, `tour-fleet-${colorScheme}-wide.png`) });

    await tab.page.getByRole("link", { name: "shop 1.2" }).click();
    await tab.page.locator("#app .headline", { hasText: "rolled back" }).waitFor();
    await tab.settled();
    rollout = new URL(tab.page.url()).pathname.split("/").at(-1);
    assert.match(await tab.headline(), /error-rate .* > 0\.05/, "the first sentence says why");
    told.push(await tab.page.locator("body").innerText());
    // Down to the end of the condition that failed.
    const shown = await tab.page.locator('[data-condition="error-rate"]').boundingBox();
    await tab.page.screenshot({
      path: path.join(given.images, `tour-rollout-${colorScheme}-wide.png`), fullPage: true,
      clip: { x: 0, y: 0, width: 1440, height: Math.ceil(shown.y + shown.height + 16) },
    });
    await tab.close();
  }
  const buttons = ["Pause", "Roll back"]; // of a rollout that is under way
  for (const words of given.says.filter((one) => !buttons.includes(one))) {
    assert.ok(told.some((text) => text.replace(/\s+/g, " ").toLowerCase().includes(words.toLowerCase())), `the tour says "${words}", the page does not`);
  }
  return { rolled_back: rollout };
});
