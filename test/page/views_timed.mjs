// How long each view takes, from its address to its data on the screen (test/bench/page_bench.py). Asserts no time.
import { story } from "./browser.mjs";

await story(async ({ given, open }) => {
  const views = [
    ["fleet", "/"], ["fleet, one of the oldest by its name", "/?q=service-0001"], ["rollout with a long history", `/rollouts/${given.rollout}`],
    ["policies", "/policies"], ["deliveries", "/deliveries"], ["system", "/system"],
  ];
  const measured = [];
  for (const [view, path] of views) {
    const took = [];
    let bytes = 0;
    let tab;
    for (let i = 0; i < given.times; ++i) {
      tab = await open(null);
      bytes = 0;
      const session = await tab.page.context().newCDPSession(tab.page);
      await session.send("Network.enable");
      session.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
      const begun = performance.now();
      await tab.go(path);
      await tab.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      took.push(performance.now() - begun);
      if (i + 1 < given.times) await tab.close();
    }
    took.sort((a, b) => a - b);
    measured.push({ view, median: took[took.length >> 1], worst: took.at(-1), kilobytes: bytes / 1000, requests: tab.requests.length, rows: await tab.page.locator("main tbody tr").count() });
    await tab.close();
  }
  return measured;
});
