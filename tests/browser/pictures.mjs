// The pictures of the status page in docs/images: `tests/browser/run target/debug/orawarden pictures`.

import { mkdirSync, writeFileSync } from "node:fs";
import { Browser, until } from "./browser.mjs";
import { Demonstration } from "./daemon.mjs";

const { ORAWARDEN, CHROMIUM } = process.env;
const FOLDER = "docs/images";

const browser = new Browser(CHROMIUM);
const demonstration = new Demonstration(ORAWARDEN);
try {
  await demonstration.start();
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, options] of [
    ["status-light", { width: 1200, height: 900, scheme: "light" }],
    ["status-dark", { width: 1200, height: 900, scheme: "dark" }],
    ["status-phone", { width: 390, height: 844, scheme: "light" }],
  ]) {
    const page = await browser.page(options);
    await page.open(demonstration.url);
    await until("decisions", async () => (await page.text()).includes("simulated"));
    writeFileSync(`${FOLDER}/${name}.png`, await page.picture());
  }
} finally {
  await demonstration.end();
  await browser.close();
}
