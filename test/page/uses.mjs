// What a person does besides deciding: checks a policy against now, has something delivered again, asks for an explanation,
// copies a query, reads how two versions compare, turns the light off. Open dialogs are judged as the views are.
import assert from "node:assert/strict";
import path from "node:path";
import { eventually, NARROW, story, WIDE } from "./browser.mjs";
import { misplaced, resize, violations } from "./looks.mjs";

let kept = null; // where pictures go, if somebody wants to look at them

async function assertLooksWell(page, what) {
  for (const [size, colorScheme] of [[NARROW, "dark"], [WIDE, "light"]]) {
    await page.emulateMedia({ colorScheme });
    await resize(page, size);
    if (kept) await page.screenshot({ path: path.join(kept, `${what.replace(/\W+/g, "_")}-${colorScheme}-${size.width}.png`) });
    assert.deepEqual([...(await violations(page)), ...(await misplaced(page))], [], `${what}, ${colorScheme}, ${size.width}`);
  }
}

async function checksAPolicy({ open }) {
  const tab = await open("/policies/http");
  const { page } = tab;
  const record = await page.getByRole("table", { name: "Record" }).innerText();
  assert.match(record.replace(/\s+/g, " "), /Condition Rollouts Answered Failed error-rate \d+ \d+ \d+ latency-p99 \d+ \d+ \d+$/);
  await page.getByLabel("Service").fill("search");
  await page.getByLabel("Candidate").fill("7.4.0");
  await page.getByRole("button", { name: "Check now" }).click();
  const check = page.locator("#check");
  await check.getByText("latency-p99").last().waitFor();
  await check.locator("details.card").first().waitFor();
  assert.match(await check.innerText(), /error-rate[\s\S]*pass/);
  assert.match(page.url(), /search/, "what was asked can be linked to");
  await assertLooksWell(page, "policy, checked");
  assert.deepEqual(tab.requests.filter((one) => one.method === "POST").map((one) => one.url.pathname), ["/api/v1/check"]);
  await tab.close();
  const linked = await open(new URL(page.url()).pathname + new URL(page.url()).search);
  assert.equal(await linked.page.getByLabel("Candidate").inputValue(), "7.4.0");
  await linked.close();
}

async function redelivers({ open, ask }) {
  const tab = await open("/deliveries?show=failed");
  const { page } = tab;
  await ask("repair");
  const row = page.locator("tbody tr", { hasText: "stock" }).filter({ hasText: "order" });
  await row.getByRole("button", { name: /^Redeliver/ }).click();
  const dialog = page.getByRole("dialog");
  await assertLooksWell(page, "deliveries, dialog");
  await dialog.getByLabel(/reason/i).fill("the edge is repaired");
  await dialog.getByLabel(/name/i).fill("ben@example.net");
  await dialog.getByRole("button", { name: /^Redeliver/ }).click();
  await dialog.waitFor({ state: "hidden" });
  await ask("delivered");
  await row.waitFor({ state: "detached" }); // it is among the failed no longer, and nothing was loaded anew
  await tab.close();
}

async function asksWhy({ open, given }) {
  const tab = await open(`/rollouts/${given.rolledBack}`, { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = tab;
  await page.getByRole("button", { name: "Copy the query" }).or(page.getByRole("button", { name: /^Copy .*query/ })).first().click();
  await page.waitForFunction(async () => /rate\(http_requests_total\{app="checkout",version="1\.24\.0"/.test(await navigator.clipboard.readText()));

  await page.getByRole("button", { name: /^Explain the latest/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(/> 0\.05 is true/).waitFor();
  for (const part of [/curl -sG/, /latency-p99/, /SHA-256/, /of the last 7/]) assert.match(await dialog.innerText(), part);
  await assertLooksWell(page, "explanation");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });

  // Every time is local, and in UTC where the pointer rests.
  const times = await page.locator("main time").evaluateAll((all) => all.map((one) => ({ at: one.dateTime, title: one.title, text: one.textContent })));
  assert.ok(times.length > 10);
  for (const one of times) {
    assert.match(one.at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.match(one.title, /UTC/, JSON.stringify(one));
  }
  const clock = times.find((one) => /^\d\d:\d\d:\d\d$/.test(one.text));
  assert.equal(clock.text, new Date(clock.at).toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin" }));

  // JSON one click away.
  const [json] = await Promise.all([page.waitForResponse((one) => one.url().includes("/api/v1/rollouts/")), page.getByRole("link", { name: "JSON" }).first().click()]);
  assert.match(json.headers()["content-type"], /application\/json/);
  assert.equal((await json.json()).rollout.state, "rolled_back");
  tab.problems = []; // Chromium's own page for JSON
  await tab.close();
}

const condition = (page, name) => page.locator(`[data-condition="${name}"]`);

async function comparesTwoVersions({ open, given }) {
  const tab = await open(`/rollouts/${given.compared}`, { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = tab;
  const errors = condition(page, "errors");
  assert.match(await errors.locator(".sentence").innerText(), /^[\d,]+ bad of [\d,]+ \(.* %\), stable [\d,]+ of [\d,]+ \(.* %\).*; evidence [\d.e-]+ of 200: .*\.$/);
  const table = await errors.getByRole("table", { name: "Both versions in errors" }).innerText();
  assert.match(table.replace(/\s+/g, " "), /Version Events Bad Share candidate 2\.1 [\d,]+ [\d,]+ [\d.]+ % stable 2\.0 [\d,]+ [\d,]+ [\d.]+ %/);
  for (const part of [/times stable, .* with 95 %/, /inside the promise: ever rolled back by mistake with at most 1 %/, /of 200; at 200 it is rolled back/,
    /events of the candidate; 100 needed to pass/, /All comparisons together/, /the promise/]) {
    await eventually(async () => assert.match(await errors.innerText(), part));
  }

  const chart = errors.getByRole("img", { name: /^The evidence of errors: latest/ });
  assert.match(await chart.getAttribute("aria-label"), /decides at 200/);
  assert.match(await errors.locator("figcaption").innerText(), /logarithmic/);

  const assumed = errors.locator("details", { hasText: "What is assumed" });
  assert.equal(await assumed.getAttribute("open"), null, "it is there for who asks");
  await assumed.locator("summary").click();
  assert.match(await assumed.innerText(), /same mix of requests/);

  await errors.getByRole("button", { name: "Copy query of errors, stable, bad events" }).click();
  await page.waitForFunction(async () => /app="gateway",version="2\.0",code=~"5\.\."/.test(await navigator.clipboard.readText()));

  assert.match(await condition(page, "error-rate").innerText(), /a guard: outside the promise/);
  assert.match(await condition(page, "failures").innerText(), /counted since the step began/);
  assert.match(await condition(page, "replicas").innerText(), /On average[\s\S]*outside the promise: on its own/);
  assert.match(await condition(page, "latency").innerText(), /Slower[\s\S]*Early promotion/);
  await assertLooksWell(page, "comparison, all of it");
  await tab.close();

  const fleet = await open("/");
  const row = await fleet.page.locator("tr", { hasText: "gateway 2.1" }).innerText();
  assert.match(row, /(evidence \S+ of \d+|no value) \(rule .*stable.*\)|\(rule > /);
  await fleet.close();
}

async function asksWhatWasWorse({ open, given }) {
  const tab = await open(`/rollouts/${given.worse}`);
  const { page } = tab;
  assert.match(await condition(page, "errors").locator(".sentence").innerText(), /; evidence \S+ of 200: (it is worse than stable|all comparisons together have enough)\.$/);
  await page.getByRole("button", { name: /^Explain the latest/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(/^The promise: /).waitFor();
  for (const part of [/with a probability of at most 0\.01; outside of that promise: error-rate/, /candidate 6/, /stable 5/, /asked of the stable, bad events/]) assert.match(await dialog.innerText(), part);
  await assertLooksWell(page, "explanation of a comparison");
  await tab.close();
}

async function turnsTheLightOff({ open }) {
  const tab = await open("/", { colorScheme: "light" });
  const { page } = tab;
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: /theme/i }).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await tab.settled();
  assert.equal(await ground(), dark, "it is kept");
  await page.emulateMedia({ colorScheme: "dark" });
  for (let i = 0; i < 3 && !/as the system\./.test(await page.getByRole("button", { name: /theme/i }).getAttribute("aria-label")); ++i) {
    await page.getByRole("button", { name: /theme/i }).click();
  }
  assert.equal(await ground(), dark, "as the system, which is dark by now");
  await page.emulateMedia({ colorScheme: "light" });
  await page.waitForFunction((wanted) => getComputedStyle(document.body).backgroundColor === wanted, light);
  await tab.close();
}

await story(async (stage) => {
  kept = stage.given.images;
  for (const use of [checksAPolicy, redelivers, asksWhy, comparesTwoVersions, asksWhatWasWorse, turnsTheLightOff]) await use(stage);
});
