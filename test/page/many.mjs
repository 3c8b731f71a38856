// 2,000 rollouts and 100,000 evaluations: one request a view, at most 200 rows, the rest behind "more" and the filter.
import assert from "node:assert/strict";
import { story } from "./browser.mjs";
import { misplaced } from "./looks.mjs";

const MOST_ROWS = 200;

await story(async ({ given, open }) => {
  const tab = await open("/");
  const { page } = tab;
  const rows = () => page.locator("main tbody tr").count();
  assert.equal(tab.dataAtFirst().length, 1, tab.dataAtFirst().join(" "));
  const first = await rows();
  assert.ok(first > 0 && first <= MOST_ROWS, `${first} rows`);
  assert.match(await tab.headline(), new RegExp(`${given.active}`), "all are counted, whatever is shown");

  // Everybody is reached by "more", without a page that grows for ever.
  const names = async () => page.locator('main a[href^="/rollouts/"]').evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  const seen = new Set(await names());
  const more = () => tab.data().filter((asked) => asked.includes("cursor=")).length; // not what an event asks for meanwhile
  const before = more();
  await page.getByRole("button", { name: /more/i }).or(page.getByRole("link", { name: /more/i })).first().click();
  await page.waitForFunction((known) => [...document.querySelectorAll('main a[href^="/rollouts/"]')].some((one) => !known.includes(one.getAttribute("href"))), [...seen]);
  assert.equal(more(), before + 1, "more asks once");
  assert.ok((await rows()) <= MOST_ROWS, `${await rows()} rows after "more"`);

  // One of the oldest, by its name; the address says so and finds it again.
  await page.locator("input[type=search]").fill("service-1700");
  await page.getByRole("link", { name: /service-1700/ }).first().waitFor();
  assert.match(page.url(), /service-1700/);
  await tab.go(new URL(page.url()).pathname + new URL(page.url()).search);
  await page.getByRole("link", { name: /service-1700/ }).first().waitFor();
  assert.equal(tab.dataAtFirst().length, 1);

  for (const path of [`/rollouts/${given.rollout}`, "/policies", "/deliveries", "/system"]) {
    await tab.go(path);
    assert.ok(tab.dataAtFirst().length <= 1, `${path}: ${tab.dataAtFirst().join(" ")}`);
    assert.ok((await rows()) <= MOST_ROWS, `${path}: ${await rows()} rows`);
    assert.deepEqual(await misplaced(page), [], path);
  }

  // From view to view within the page: one request for what is new.
  await tab.go("/?q=checkout");
  tab.requests = [];
  await page.getByRole("link", { name: /checkout/ }).first().click();
  await page.locator("#app .headline", { hasText: "checkout 1.24" }).waitFor();
  await tab.settled();
  // (The fleet may have read itself again just before, and what is new of the rollout comes after.)
  assert.deepEqual(tab.data().filter((path) => !/^\/api\/v1\/fleet|[?&]after=/.test(path)), [`/api/v1/rollouts/${given.rollout}/report`]);
});
