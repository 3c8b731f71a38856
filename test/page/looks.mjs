// How a view looks, as far as a program can tell: nothing a person with poor sight or no mouse cannot use (axe-core,
// WCAG 2.1 AA), nothing that needs scrolling sideways, no text that is cut off or lies upon other text, no word that is
// broken in its middle.
import { axeSource } from "./browser.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];

// [] or what is wrong, a line each.
export async function violations(page) {
  if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(axeSource);
  const found = await page.evaluate(async (values) => {
    const result = await globalThis.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] });
    return result.violations.map(({ id, help, nodes }) => ({
      id, help, nodes: nodes.slice(0, 4).map((one) => `${one.target.join(" ")}: ${one.any[0]?.message ?? one.failureSummary}`),
    }));
  }, RULES);
  return found.map((one) => `${one.id}: ${one.help}\n  ${one.nodes.join("\n  ")}`);
}

// Runs in the page.
function layout() {
  const problems = [];
  const short = (element) => {
    const classes = [...element.classList].map((name) => `.${name}`).join("");
    return `<${element.localName}${element.id ? `#${element.id}` : ""}${classes}> "${element.textContent.trim().slice(0, 50)}"`;
  };
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) problems.push(`the page is ${root.scrollWidth} wide, and there is room for ${root.clientWidth}`);

  const scrolls = (style) => /auto|scroll/.test(`${style.overflowX} ${style.overflowY}`);
  const hides = (style) => /hidden|clip/.test(`${style.overflowX} ${style.overflowY}`);
  // For screen readers only: one pixel, or cut to nothing.
  const isForEars = (element) => {
    for (let one = element; one && one !== root; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.clipPath === "inset(50%)" || /rect\(0|rect\(1px/.test(style.clip)) return true;
      const box = one.getBoundingClientRect();
      if (style.position === "absolute" && box.width <= 1 && box.height <= 1) return true;
    }
    return false;
  };

  // Not if it is what an ellipsis has left out.
  const isSeen = (element, text) => {
    for (let one = element; one && one !== document.body; one = one.parentElement) {
      if (!hides(getComputedStyle(one))) continue;
      const box = one.getBoundingClientRect();
      if (text.top > box.bottom - text.height / 2 || text.left > box.right - 2) return false;
    }
    return true;
  };

  // Where an ellipsis cuts a line, Chromium tells two boxes of it: the whole one, and what is left.
  const isLineOfItsOwn = (box, index, all) => index === 0 || box.top !== all[index - 1].top || box.left !== all[index - 1].left;

  // Every piece of text that can be seen, with the boxes of its lines.
  const pieces = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || /^(script|style|noscript|option|template)$/.test(element.localName)) continue;
    if (!element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) || isForEars(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 1 && box.height > 1).filter(isLineOfItsOwn);
    if (boxes.length > 0) pieces.push({ element, node, boxes });
  }

  for (const { element, boxes } of pieces) {
    // What is cut by an ellipsis says it all in its title.
    let visible = { left: 0, right: root.clientWidth, top: -Infinity, bottom: Infinity };
    let scrolled = false;
    for (let one = element; one && one !== document.body; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (scrolls(style)) {
        scrolled = true;
        break;
      }
      if (!hides(style)) continue;
      const box = one.getBoundingClientRect();
      const isCut = boxes.some((text) => text.right > box.right + 1.5 || text.left < box.left - 1.5 || text.bottom > box.bottom + 4 || text.top < box.top - 4);
      if (!isCut) continue;
      const says = element.closest("[title]")?.title ?? "";
      const isShortened = style.textOverflow === "ellipsis" || Number(style.webkitLineClamp) > 0;
      if (!(isShortened && says.includes(element.textContent.trim().slice(0, 20)))) problems.push(`cut off: ${short(element)} in ${short(one)}`);
      visible = null;
      break;
    }
    if (visible && !scrolled && boxes.some((text) => text.right > visible.right + 1 || text.left < -1)) {
      problems.push(`beyond the edge: ${short(element)}`);
    }
  }

  // Words of everyday length that are broken in their middle, for want of room.
  for (const { element, node } of pieces) {
    for (const found of node.data.matchAll(/(?<![\p{L}\p{N}_])[\p{L}\p{N}_]{2,20}(?![\p{L}\p{N}_])/gu)) {
      const range = document.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      const tops = [...range.getClientRects()].map((box) => Math.round(box.top));
      if (Math.max(...tops) - Math.min(...tops) > 4) problems.push(`broken: "${found[0]}" in ${short(element)}`);
    }
  }

  // Lines of text that lie upon each other. Those in a box that scrolls are where they are not seen: left out.
  const lines = [];
  for (const { element, boxes } of pieces) {
    let box = element;
    while (box !== document.body && !scrolls(getComputedStyle(box))) box = box.parentElement;
    if (box !== document.body && box.scrollWidth + box.scrollHeight > box.clientWidth + box.clientHeight) continue;
    if (element.closest("dialog, [role=dialog]") !== document.querySelector("dialog[open]")) continue;
    for (const text of boxes) {
      if (isSeen(element, text)) lines.push({ element, text });
    }
  }
  lines.sort((a, b) => a.text.top - b.text.top);
  for (let i = 0; i < lines.length; ++i) {
    for (let j = i + 1; j < lines.length && lines[j].text.top < lines[i].text.bottom; ++j) {
      const [a, b] = [lines[i].text, lines[j].text];
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (width > 2 && height > Math.min(a.height, b.height) * 0.4) problems.push(`upon each other: ${short(lines[i].element)} and ${short(lines[j].element)}`);
    }
  }
  return [...new Set(problems)].slice(0, 25);
}

export async function misplaced(page) {
  return page.evaluate(layout);
}

// Another window: what listens for that has its turn in the frames that follow.
export async function resize(page, size) {
  await page.setViewportSize(size);
  await page.evaluate(async () => {
    for (let i = 0; i < 4; ++i) await new Promise((done) => requestAnimationFrame(done));
  });
}
