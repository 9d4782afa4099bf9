// Fetches the page again and puts its main part in place of the old one; without this script the browser reloads it.
"use strict";

const EVERY_MS = 5000;
const WITHIN_MS = 10000;

function swap(fresh) {
  const old = document.querySelector("main");
  const open = new Set(Array.from(old.querySelectorAll("details[open]"), (it) => it.id));
  for (const details of fresh.querySelectorAll("details")) {
    details.open = open.has(details.id);
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.closest("[id]")?.id : undefined;
  old.replaceWith(document.adoptNode(fresh));
  if (focused) {
    const again = document.getElementById(focused);
    (again?.querySelector("summary") ?? again)?.focus({ preventScroll: true });
  }
}

async function look() {
  const lost = document.getElementById("lost");
  try {
    const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(WITHIN_MS) });
    if (!answer.ok) {
      throw new Error(`status ${answer.status}`);
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main");
    if (fresh && fresh.innerHTML !== document.querySelector("main").innerHTML) {
      document.title = page.title;
      swap(fresh);
    }
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  }
}

async function watch() {
  for (;;) {
    await new Promise((wake) => setTimeout(wake, EVERY_MS));
    if (!document.hidden) {
      await look();
    }
  }
}

document.addEventListener("visibilitychange", () => document.hidden || look());
watch();
