// Every view in every state, light and dark, wide and narrow: its first sentence, one request for data, and how it looks.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { NARROW, story, WIDE } from "./browser.mjs";
import { misplaced, resize, violations } from "./looks.mjs";

const SIZES = [["wide", WIDE], ["narrow", NARROW]];

// Wherever in its line an ellipsis is, what it leaves out lies upon nothing.
async function assertTheJudgesSpareAnEllipsis(tab) {
  await tab.page.evaluate(() => {
    for (let width = 100; width < 200; width += 4) {
      const line = document.createElement("p");
      line.title = line.textContent = "what an ellipsis leaves out of its second line is said in the title of what is shown";
      Object.assign(line.style, { width: `${width}px`, display: "-webkit-box", webkitBoxOrient: "vertical", webkitLineClamp: 2, overflow: "hidden" });
      document.querySelector("main").append(line);
    }
  });
  assert.deepEqual((await misplaced(tab.page)).filter((problem) => /ellipsis/.test(problem)), []);
}

// What would be found if it were there: a judge that is never displeased is none.
async function assertTheJudgesSee(tab) {
  await tab.page.evaluate(() => {
    const faults = document.createElement("div");
    const line = (text, style) => {
      const one = document.createElement("p");
      one.textContent = text;
      Object.assign(one.style, style);
      faults.append(one);
    };
    line("too pale to be read", { color: "#bbb", background: "#fff" });
    line("this text is cut off at its end", { width: "60px", overflow: "hidden", whiteSpace: "nowrap" });
    line("below", { position: "absolute", top: "600px", left: "40px" });
    line("above", { position: "absolute", top: "602px", left: "42px" });
    line("unbelievable", { width: "40px", overflowWrap: "anywhere" });
    line("wider than the window", { width: "5000px" });
    document.querySelector("main").append(faults);
  });
  assert.match((await violations(tab.page)).join("\n"), /color-contrast/);
  const said = (await misplaced(tab.page)).join("\n");
  for (const part of [/cut off: .*this text/, /upon each other: .*(below|above)/, /broken: "unbelievable"/, /the page is 5\d\d\d wide/]) assert.match(said, part);
}

await story(async ({ given, open }) => {
  if (given.images) mkdirSync(given.images, { recursive: true });
  const judged = await open(given.views[0].path);
  await assertTheJudgesSpareAnEllipsis(judged);
  await judged.go(given.views[0].path);
  await assertTheJudgesSee(judged);
  await judged.close();
  const wrong = [];
  for (const colorScheme of ["light", "dark"]) {
    const tab = await open(null, { colorScheme });
    for (const view of given.views) {
      const where = `${view.name}, ${colorScheme}`;
      await tab.page.setViewportSize(WIDE);
      await tab.go(view.path);
      const headline = await tab.headline();
      if (!new RegExp(view.says, "i").test(headline)) wrong.push(`${where}: says "${headline}", not /${view.says}/`);
      if (!/^\S.*[^,;:]$/.test(headline)) wrong.push(`${where}: no sentence: "${headline}"`);
      if (tab.dataAtFirst().length > 1) wrong.push(`${where}: asks more than once: ${tab.dataAtFirst().join(" ")}`);
      const rows = await tab.page.locator("main tbody tr").count();
      if (rows > 200) wrong.push(`${where}: ${rows} rows`);
      for (const [name, size] of SIZES) {
        if (!view.shown && (colorScheme === "light") !== (name === "wide")) continue;
        await resize(tab.page, size);
        for (const problem of [...(await violations(tab.page)), ...(await misplaced(tab.page))]) wrong.push(`${where}, ${name}: ${problem}`);
        if (given.images) await tab.page.screenshot({ path: path.join(given.images, `${view.name}-${colorScheme}-${name}.png`), fullPage: true });
      }
      wrong.push(...tab.problems.map((problem) => `${where}: ${problem}`));
      tab.problems = [];
    }
    await tab.close();
  }
  assert.equal(wrong.join("\n"), "");
});
