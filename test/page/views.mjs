// Every view in every state, light and dark, wide and narrow: its first sentence, one request for data, and how it looks.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { NARROW, story, WIDE } from "./browser.mjs";
import { misplaced, violations } from "./looks.mjs";

const SIZES = [["wide", WIDE], ["narrow", NARROW]];

await story(async ({ given, open }) => {
  mkdirSync(given.images, { recursive: true });
  const wrong = [];
  const headlines = {};
  for (const view of given.views) {
    for (const colorScheme of ["light", "dark"]) {
      const tab = await open(view.path, { colorScheme });
      const where = `${view.name}, ${colorScheme}`;
      const headline = await tab.headline();
      headlines[view.name] = headline;
      if (!new RegExp(view.says, "i").test(headline)) wrong.push(`${where}: says "${headline}", not /${view.says}/`);
      if (!/^\S.*[^,;:]$/.test(headline)) wrong.push(`${where}: no sentence: "${headline}"`);
      if (tab.data().length > 1) wrong.push(`${where}: asks more than once: ${tab.data().join(" ")}`);
      const rows = await tab.page.locator("main tbody tr").count();
      if (rows > 200) wrong.push(`${where}: ${rows} rows`);
      for (const [name, size] of SIZES) {
        await tab.page.setViewportSize(size);
        for (const problem of [...(await violations(tab.page)), ...(await misplaced(tab.page))]) wrong.push(`${where}, ${name}: ${problem}`);
        await tab.page.screenshot({ path: path.join(given.images, `${view.name}-${colorScheme}-${name}.png`), fullPage: true });
      }
      wrong.push(...tab.problems.map((problem) => `${where}: ${problem}`));
      tab.problems = [];
      await tab.close();
    }
  }
  assert.equal(wrong.join("\n"), "");
  return headlines;
});
