// A headless Chromium, driven over the pipe of its DevTools protocol: no ports, no packages.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/// How long anything may take on a busy machine.
export const PATIENCE_MS = 60_000;

/// Asks again and again until something is so; what it was in the end.
export async function until(what, ask) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await ask();
    if (found) {
      return found;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
    }
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

export class Browser {
  #process;
  #profile = mkdtempSync(join(tmpdir(), "orawarden-browser-"));
  #waiting = new Map();
  #listeners = new Map();
  #last = 0;
  #rest = "";

  constructor(program) {
    const args = [
      "--headless", "--remote-debugging-pipe", `--user-data-dir=${this.#profile}`, "--no-first-run",
      "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars",
      // The page itself must ask nothing of other hosts; this is for the browser.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ];
    if (process.getuid() === 0) {
      args.push("--no-sandbox");
    }
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
    this.#process = spawn(program, args, { stdio });
    this.#process.stdio[4].setEncoding("utf8").on("data", (text) => this.#take(text));
  }

  #take(text) {
    const messages = (this.#rest + text).split("\0");
    this.#rest = messages.pop();
    for (const message of messages.map((it) => JSON.parse(it))) {
      const { id, error, result, sessionId, method, params } = message;
      if (id === undefined) {
        this.#listeners.get(sessionId)?.(method, params);
        continue;
      }
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      error ? reject(new Error(JSON.stringify(error))) : resolve(result);
    }
  }

  send(method, params = {}, sessionId = undefined) {
    this.#last += 1;
    const id = this.#last;
    this.#process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /// An empty page of its own.
  async page({ width = 1280, height = 900, scheme = "light", scripts = true } = {}) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page((method, params) => this.send(method, params, sessionId));
    this.#listeners.set(sessionId, (method, params) => page.heard(method, params));
    for (const domain of ["Page", "Runtime", "Log", "Network"]) {
      await page.send(`${domain}.enable`);
    }
    await page.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 500 });
    await page.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    await page.send("Emulation.setScriptExecutionDisabled", { value: !scripts });
    return page;
  }

  async close() {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    await Promise.race([this.send("Browser.close"), ended]);
    await ended;
    rmSync(this.#profile, { recursive: true, force: true });
  }
}

class Page {
  /// What was said on the console, violations of the content security policy included.
  said = [];
  /// Every address that was asked.
  asked = [];

  constructor(send) {
    this.send = send;
  }

  heard(method, params) {
    if (method === "Runtime.consoleAPICalled") {
      this.said.push(params.args.map((it) => it.value ?? it.description).join(" "));
    } else if (method === "Runtime.exceptionThrown") {
      this.said.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    } else if (method === "Log.entryAdded") {
      this.said.push(`${params.entry.text} ${params.entry.url ?? ""}`);
    } else if (method === "Network.requestWillBeSent") {
      this.asked.push(params.request.url);
    }
  }

  async open(url) {
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText) {
      throw new Error(`${url}: ${errorText}`);
    }
    await until(`${url} is there`, () => this.is("document.readyState === 'complete' && !!document.querySelector('main')"));
  }

  /// The value of an expression in the page. Works where scripts of the page are off, too.
  async is(expression) {
    const asked = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", asked);
    if (exceptionDetails) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value;
  }

  text(selector = "body") {
    return this.is(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`);
  }

  /// What axe-core finds, each with the elements.
  async violations(axe) {
    await this.is(`${axe}; true`);
    const found = await this.is("axe.run(document).then((it) => it.violations)");
    return found.map((it) => `${it.id}: ${it.help}: ${it.nodes.map((node) => node.html).join(" ")}`);
  }

  async picture() {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data, "base64");
  }
}
