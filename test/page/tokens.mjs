// A token is entered once, and kept in memory or for this tab; the buttons are those it may press.
import assert from "node:assert/strict";
import { story } from "./browser.mjs";
import { misplaced, violations } from "./looks.mjs";

const UNKNOWN = "rwt_nobody_has_given_this_one_to_anyone_0000";
const DECISIONS = ["Advance", "Promote", "Pause", "Extend", "Roll back", "Cancel"];

async function enter(tab, token, keep = false) {
  await tab.page.getByLabel(/^token/i).fill(token);
  const box = tab.page.getByLabel(/keep/i);
  if (keep) await box.check();
  await tab.page.keyboard.press("Enter");
}

async function isAsked(tab) {
  await tab.page.getByLabel(/^token/i).waitFor();
}

const stored = (tab) => tab.page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]));
const buttons = async (tab) => {
  const names = await tab.page.locator("main button:visible").allInnerTexts();
  return DECISIONS.filter((name) => names.some((one) => one.trim().startsWith(name)));
};

await story(async ({ given, open }) => {
  const { tokens, rollouts, url } = given;
  const rollout = `/rollouts/${rollouts.search}`;
  const tab = await open("/");
  await isAsked(tab);
  assert.deepEqual(await violations(tab.page), []);
  assert.deepEqual(await misplaced(tab.page), []);
  assert.doesNotMatch(await tab.page.content(), /checkout|ro_/, "nothing is told to nobody");

  await enter(tab, UNKNOWN);
  await tab.page.getByRole("alert").filter({ hasText: /token/i }).waitFor();
  tab.forgive(/401/);

  // Reads, and cannot press anything. Its token is in this page's memory alone.
  await enter(tab, tokens.dashboard);
  await tab.page.getByRole("link", { name: /checkout/ }).first().waitFor();
  await tab.page.getByRole("link", { name: /search/ }).first().click();
  await tab.page.locator("#app .headline", { hasText: "search 1.1" }).waitFor();
  await tab.settled();
  assert.deepEqual(await buttons(tab), []);
  await tab.page.getByRole("link", { name: "Policies" }).click();
  await tab.page.locator("main").getByRole("link", { name: "http" }).first().click();
  await tab.page.getByRole("heading", { name: "Steps" }).waitFor();
  assert.equal(await tab.page.locator("#check").count(), 0, "a check may bring queries of its own: it takes who may register");
  await tab.page.goBack();
  await tab.page.goBack();
  await tab.page.locator("#app .headline", { hasText: "search 1.1" }).waitFor();
  assert.doesNotMatch(await stored(tab), /rwt_/);
  await tab.page.reload();
  await isAsked(tab);

  // Kept for this tab: a reload asks nothing, another tab does.
  await enter(tab, tokens.oncall, true);
  await tab.page.locator("#app .headline", { hasText: "search 1.1" }).waitFor();
  await tab.page.reload();
  await tab.page.locator("#app .headline", { hasText: "search 1.1" }).waitFor();
  await tab.settled();
  assert.deepEqual(await buttons(tab), DECISIONS);
  const [session, local, cookie] = JSON.parse(await stored(tab));
  assert.match(JSON.stringify(session), /rwt_/);
  assert.doesNotMatch(JSON.stringify([local, cookie]), /rwt_/);
  const other = await open(rollout);
  await isAsked(other);

  await tab.page.getByRole("button", { name: /^Pause/ }).click();
  await tab.page.getByRole("dialog").getByLabel(/reason/i).fill("a look at the logs");
  await tab.page.getByRole("dialog").getByRole("button", { name: /^Pause/ }).click();
  await tab.page.locator("#app .headline", { hasText: "a look at the logs" }).waitFor();

  // It can be given back.
  await tab.page.getByRole("button", { name: /^Forget/ }).click();
  await isAsked(tab);
  assert.doesNotMatch(await stored(tab), /rwt_/);

  // Sees one namespace only, and does not learn of the others.
  await enter(other, tokens.shop);
  await other.page.locator("#app .headline", { hasText: "search 1.1" }).waitFor();
  await other.page.getByRole("link", { name: /fleet|rollouts/i }).first().click();
  await other.page.getByRole("link", { name: /search/ }).first().waitFor();
  assert.doesNotMatch(await other.page.locator("main").innerText(), /checkout/);

  // May register and not read: it is told so.
  const narrow = await open(null);
  narrow.tolerated = / 40[13] /; // of whatever the page asks for, and of its stream, in any order
  await narrow.go("/");
  await enter(narrow, tokens.ci);
  await narrow.page.getByText(/may not|scope|not allowed/i).first().waitFor();

  for (const one of [tab, other, narrow]) {
    one.problems = one.problems.filter((problem) => !/ 401 /.test(problem)); // the browser's own words for an answer that asks for a token
    for (const request of one.requests) assert.doesNotMatch(request.url.href, /rwt_/, "a token is in no address");
  }

  // Without JavaScript the browser itself asks, by ?signin.
  const plain = await open(null, { javaScriptEnabled: false, httpCredentials: { username: "anna", password: tokens.dashboard } });
  await plain.page.goto(`${url}${rollout}?signin`);
  assert.match(await plain.page.locator("main").innerText(), /search 1\.1/);
  plain.problems = plain.problems.filter((problem) => !/ 401 /.test(problem));
});
