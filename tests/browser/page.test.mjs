// The status page as people see it, in a real browser. Run by tests/browser/run.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Browser, until } from "./browser.mjs";
import { Captured, Demonstration } from "./daemon.mjs";

const { ORAWARDEN, CHROMIUM, AXE } = process.env;
const axe = AXE ? readFileSync(AXE, "utf8") : undefined;

let browser;
let site;

before(async () => {
  browser = new Browser(CHROMIUM);
  site = new Captured(ORAWARDEN);
  await site.start();
});

after(async () => {
  await browser?.close();
  await site?.end();
});

/// The page with everything on it that the capture brings about.
async function shown(options) {
  const page = await browser.page(options);
  await page.open(site.url);
  if (options?.scripts === false) {
    // It reloads itself; until there is something to see, so do we.
    await until("decisions and pending", async () => {
      await page.open(site.url);
      return isWhole(page);
    });
  } else {
    await until("decisions and pending", () => isWhole(page));
  }
  return page;
}

async function isWhole(page) {
  const text = await page.text();
  return text.includes("simulated") && text.includes("sqlplus") && text.includes("stands still");
}

function isQuiet(page) {
  assert.deepEqual(page.said, [], "nothing is said on the console");
  const elsewhere = page.asked.filter((url) => !url.startsWith(site.url) && url !== "about:blank");
  assert.deepEqual(elsewhere, [], "nothing is asked of anywhere else");
}

test("it shows databases, rules, pending sessions, decisions, and says nothing on the console", async () => {
  const page = await shown();
  const text = await page.text("main");
  for (const part of ["orawarden", "old", "@1", "@2", "idle", "waits", "wide", "dry run", "102,7,@2", "Nothing is held back."]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.equal(await page.is("document.querySelectorAll('svg.chart').length"), 3);
  assert.equal(await page.is("document.querySelector('a[href^=https]').rel"), "noreferrer noopener");
  isQuiet(page);
});

test("names that are HTML and script stay text", async () => {
  const page = await shown();
  const text = await page.text("main");
  for (const suffix of ["", "p", "m"]) {
    assert.ok(text.includes(`<img src=x onerror=alert(1)>${suffix}`), text);
  }
  assert.ok(text.includes("Idle <b>too long</b>"));
  // The update puts them into the page by another way than the first load.
  await page.is("document.querySelector('main').dataset.first = 'yes'; true");
  await until("an update", () => page.is("!document.querySelector('main').dataset.first"));
  assert.equal(await page.is("document.querySelectorAll('main script, main img, main b').length"), 0);
  assert.ok((await page.is("document.title")).startsWith("orawarden"));
  isQuiet(page);
});

test("decisions come in without a reload, and what was open and focused stays so", async () => {
  const page = await shown();
  const decisions = "Number(document.querySelector('#decisions ~ table').rows.length)";
  await page.is("window.mark = 'same page'; document.querySelector('main').dataset.first = 'yes'; true");
  await page.is("document.title = 'orawarden: loading'; true");
  await page.is("document.getElementById('still-wide').open = true; true");
  await page.is("document.querySelector('#still-wide summary').focus(); true");
  const before = await page.is(decisions);
  await until("a new decision", async () => (await page.is(decisions)) > before);
  assert.equal(await page.is("window.mark"), "same page");
  assert.equal(await page.is("document.querySelector('main').dataset.first"), undefined, "it was put in place anew");
  assert.match(await page.is("document.title"), /^orawarden: watching/, "tabs say what it does");
  assert.equal(await page.is("document.getElementById('still-wide').open"), true);
  const focused = "document.activeElement === document.querySelector('#still-wide summary')";
  assert.equal(await page.is(focused), true, await page.is("document.activeElement.outerHTML.slice(0, 200)"));
  isQuiet(page);
});

test("it is as light or dark as its reader likes", async () => {
  const paper = async (scheme) => {
    const page = await shown({ scheme });
    return page.is("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)");
  };
  const [light, dark] = [await paper("light"), await paper("dark")];
  assert.ok(light.every((it) => it > 200), `${light}`);
  assert.ok(dark.every((it) => it < 60), `${dark}`);
});

test("a phone shows all of it without scrolling sideways", async () => {
  const page = await shown({ width: 390, height: 844 });
  assert.equal(await page.is("innerWidth"), 390);
  const wide = "Array.from(document.querySelectorAll('main *')).filter((it) => it.getBoundingClientRect().right > 390.5)";
  assert.deepEqual(await page.is(`${wide}.map((it) => it.outerHTML.slice(0, 120))`), []);
  assert.ok((await page.is("document.scrollingElement.scrollWidth")) <= 390);
});

test("it says when the daemon is gone, and takes it back when it is there again", async () => {
  const page = await shown();
  const isLost = "!document.getElementById('lost').hidden";
  assert.equal(await page.is(isLost), false);
  await site.kill();
  await until("the alert", () => page.is(isLost));
  assert.equal(await page.is("document.getElementById('lost').getAttribute('role')"), "alert");
  assert.ok((await page.text()).includes("old"), "what was seen stays");
  await site.again();
  await until("its end", async () => !(await page.is(isLost)));
});

test("it is whole without scripts, and reloads itself", async () => {
  const page = await shown({ scripts: false });
  const tag = "document.querySelector('noscript')?.innerHTML ?? document.querySelector('meta[http-equiv=refresh]')?.outerHTML";
  assert.match(await page.is(tag), /http-equiv="refresh" content="10"/);
  await page.is("window.mark = 'same page'; true");
  await until("a reload", async () => (await page.is("window.mark")) === undefined);
  assert.ok((await page.text()).includes("sqlplus"));
  isQuiet(page);
});

for (const options of [{ scheme: "light" }, { scheme: "dark" }, { width: 390, height: 844 }]) {
  test(`axe-core finds nothing: ${JSON.stringify(options)}`, { skip: axe ? false : "no axe-core" }, async () => {
    const page = await shown(options);
    assert.deepEqual(await page.violations(axe), []);
  });
}

test("axe-core would notice", { skip: axe ? false : "no axe-core" }, async () => {
  const page = await shown();
  await page.is("document.querySelector('main').append(new Image()); true");
  assert.match((await page.violations(axe)).join(), /image-alt/);
});

test("the demonstration shows a simulated cluster", async () => {
  const demonstration = new Demonstration(ORAWARDEN);
  try {
    await demonstration.start();
    const page = await browser.page({ width: 390, height: 844 });
    await page.open(demonstration.url);
    await until("decisions", async () => (await page.text()).includes("simulated"));
    const text = await page.text("main");
    assert.ok(text.includes("reached") && text.includes("@2") && text.includes("idle-pool-sessions"), text);
    assert.ok((await page.is("document.scrollingElement.scrollWidth")) <= 390);
    if (axe) {
      assert.deepEqual(await page.violations(axe), []);
    }
    assert.deepEqual(page.said, []);
  } finally {
    await demonstration.end();
  }
});
