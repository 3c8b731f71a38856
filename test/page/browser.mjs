// A browser as a person has it, and what no story forgives: an error in the console, a broken rule of the content
// security policy, a request to anywhere but the daemon.
//
//   await story(async ({ given, ask, open }) => {
//     const tab = await open("/");                  // a Tab: tab.page is Playwright's
//     await ask("restart");                         // what NAME_test.py does outside the browser
//   });
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import process from "node:process";
import readline from "node:readline";

const installed = createRequire(`${process.env.ROLLWATCH_TEST_JUDGES}/`);
const { chromium } = installed("playwright-core");

export const axeSource = installed("axe-core").source;
export const WAIT_MS = 90_000;
export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 360, height: 740 };

// Asks nobody but the daemon, also not for itself.
const ALONE = [
  "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-domain-reliability",
  "--disable-sync", "--no-first-run", "--no-pings", "--no-proxy-server", "--disable-dev-shm-usage",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

// What the daemon is asked for data, without the stream and the question who one is.
export const isData = (url) => /^\/api\/v1\/(?!events$|me$)/.test(url.pathname);

// A view reads itself again a second after it was read, at the earliest. (Not quite: clocks are rounded.)
const ANEW_MS = 950;

export class Tab {
  constructor(page, origin) {
    this.page = page;
    this.origin = origin;
    this.problems = [];
    this.requests = []; // { method, url }, as they began
    this.begun = []; // { url, at, by }: the same; when, in milliseconds of the browser's clock, and by which document
    this.document = null; // the latest
    this.away = false; // the daemon is, and what cannot be reached is no problem
    this.tolerated = null; // what may be said whenever it comes
    page.on("request", (request) => this.note(request));
    page.on("pageerror", (error) => this.problems.push(`error: ${error.stack ?? error}`));
    page.on("console", (message) => this.listen(message));
  }

  note(request) {
    const url = new URL(request.url());
    if (url.protocol === "data:" || url.protocol === "blob:") return;
    if (url.origin !== this.origin) this.problems.push(`asked ${url.href}`);
    this.requests.push({ method: request.method(), url });
  }

  listen(message) {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (this.away && /ERR_(CONNECTION|INCOMPLETE|EMPTY|NETWORK)|50[234]/.test(message.text())) return;
    if (this.tolerated?.test(message.text())) return;
    this.problems.push(`console: ${message.text()} (${message.location().url})`);
  }

  // Says that this answer is wanted, such as a 401 that asks for a token: the browser itself writes it to the console.
  forgive(pattern) {
    const wanted = this.problems.filter((problem) => pattern.test(problem));
    assert.ok(wanted.length > 0, `nothing like ${pattern} happened; ${this.problems.join("\n")}`);
    this.problems = this.problems.filter((problem) => !pattern.test(problem));
  }

  async watch() {
    const session = await this.page.context().newCDPSession(this.page);
    session.on("Network.requestWillBeSent", ({ request, timestamp, type, loaderId }) => {
      if (type === "Document") this.document = loaderId;
      this.begun.push({ url: new URL(request.url), at: 1000 * timestamp, by: loaderId });
    });
    await session.send("Network.enable");
  }

  async go(path) {
    this.requests = [];
    this.begun = [];
    await this.page.goto(this.origin + path);
    await this.settled();
  }

  // The view's data is there, or why it is not.
  async settled() {
    await this.page.locator('#app[aria-busy="false"]').waitFor({ timeout: WAIT_MS });
  }

  data() {
    return this.requests.filter((request) => isData(request.url)).map((request) => request.url.pathname + request.url.search);
  }

  // What of that the view asked for to be shown. What it reads anew meanwhile is left out, and what is new of a rollout
  // (?after=), which it asks for whenever it hears of it: on a busy machine we look later than a person does. So is what
  // the view before it asked for until it was gone.
  dataAtFirst() {
    const all = this.begun.filter(({ url, by }) => by === this.document && isData(url) && !url.searchParams.has("after"));
    return all.filter(({ at }) => at < all[0].at + ANEW_MS).map(({ url }) => url.pathname + url.search);
  }

  async headline() {
    return (await this.page.locator("#app .headline").first().innerText()).trim();
  }

  assertWell() {
    assert.deepEqual(this.problems, []);
  }

  async close() {
    this.assertWell();
    await this.page.context().close();
  }
}

// Once the check passes: where what is shown moves with slots, the latest may have had no answer.
export async function eventually(check) {
  const end = performance.now() + WAIT_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((done) => setTimeout(done, 200));
  }
}

async function answerOf(lines, name, values) {
  process.stdout.write(`${JSON.stringify({ ask: name, with: values })}\n`);
  const { value } = await lines.next();
  const answer = JSON.parse(value);
  if (answer.error) throw new Error(`${name}: ${answer.error}`);
  return answer.answer;
}

export async function story(tell) {
  const given = JSON.parse(process.argv[2]);
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const browser = await chromium.launch({
    executablePath: process.env.ROLLWATCH_TEST_CHROMIUM ?? "/usr/bin/chromium", chromiumSandbox: false, args: ALONE,
  });
  process.on("SIGTERM", () => browser.close().finally(() => process.exit(143)));
  const tabs = [];

  async function open(path, options = {}) {
    const context = await browser.newContext({
      viewport: WIDE, locale: "en-GB", timezoneId: "Europe/Berlin", reducedMotion: "reduce", ...options,
    });
    context.setDefaultTimeout(WAIT_MS);
    const tab = new Tab(await context.newPage(), options.origin ?? new URL(given.url).origin);
    tabs.push(tab);
    await tab.watch();
    if (path !== null) await tab.go(path);
    return tab;
  }

  try {
    const result = await tell({ given, open, ask: (name, values = {}) => answerOf(lines, name, values) });
    for (const tab of tabs) tab.assertWell();
    process.stdout.write(`${JSON.stringify({ result: result ?? null })}\n`);
  } catch (error) {
    console.error(error);
    for (const tab of tabs.filter((one) => !one.page.isClosed())) {
      console.error(`--- ${tab.page.url()}: ${tab.problems.join("\n")}`);
      console.error((await tab.page.locator("body").innerText({ timeout: 5000 }).catch((e) => String(e))).slice(0, 6000));
    }
    process.exitCode = 1;
  } finally {
    await browser.close();
    process.stdin.destroy();
  }
}
