// The daemon, started as people start it: over a capture whose names mean no good, and the demonstration over rac-sim.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENCE_MS, until } from "./browser.mjs";

const EVIL = "<script>document.title='taken over'</script><img src=x onerror=alert(1)>";

const CAPTURE = `\
TAKEN_AT,INST_ID,SID,SERIAL#,USERNAME,STATUS,TYPE,PROGRAM,MACHINE,LOGON_TIME,LAST_CALL_ET,PNAME,ORACLE_MAINTAINED,QCSID
2026-03-02 10:00:00,1,101,7,${EVIL},INACTIVE,USER,${EVIL}p,${EVIL}m,2026-03-02 06:00:00,2700,,N,
2026-03-02 10:00:00,2,102,7,WAITER,INACTIVE,USER,sqlplus ${EVIL}p,${EVIL}m,2026-03-02 06:00:00,2700,,N,
2026-03-02 10:00:00,1,103,7,MANY,INACTIVE,USER,many,host,2026-03-02 06:00:00,2700,,N,
2026-03-02 10:00:00,2,104,7,MANY,INACTIVE,USER,many,host,2026-03-02 06:00:00,2700,,N,
`;

const POLICY = `\
version: 1
rules:
  - {name: idle, schedule: '* * * * * *', match: {program: {like: '<%'}}, limits: {percent: unlimited, per_hour: unlimited},
     action: kill, description: "Idle <b>too long</b>", runbook: 'https://wiki.example.com/idle'}
  - {name: waits, schedule: '* * * * * *', match: {username: WAITER}, for: 24h, action: kill}
  - {name: wide, schedule: '* * * * * *', match: {username: MANY}, limits: {per_tick: 1}, action: kill}
`;

class Daemon {
  said = "";

  constructor(program, args, cwd) {
    this.process = spawn(program, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
    this.process.stderr.setEncoding("utf8").on("data", (text) => {
      this.said = (this.said + text).slice(-1_000_000);
    });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
  }

  async finds(pattern) {
    return until(`${pattern} in what it says: ${this.said}`, () => this.said.match(pattern)?.[1]);
  }

  async stop(signal = "SIGTERM") {
    this.process.kill(signal);
    await this.ended;
  }
}

/// A daemon over a capture, on a port that stays its own over restarts.
export class Captured {
  #program;
  #place = mkdtempSync(join(tmpdir(), "orawarden-page-"));

  constructor(program) {
    this.#program = program;
    writeFileSync(join(this.#place, "c.csv"), CAPTURE);
    writeFileSync(join(this.#place, "p.yaml"), POLICY);
  }

  async start(listen = "127.0.0.1:0") {
    const config = `version: 1\npolicies: p.yaml\ndatabases: [{name: old, capture: c.csv}]
audit: {file: a.jsonl}\nhttp: {listen: '${listen}'}\n`;
    writeFileSync(join(this.#place, "c.yaml"), config);
    this.daemon = new Daemon(this.#program, ["run", "--config", "c.yaml"], this.#place);
    this.address = await this.daemon.finds(/http listens.*address=(\S+)/);
    this.url = `http://${this.address}/`;
  }

  async kill() {
    await this.daemon.stop("SIGKILL");
  }

  async again() {
    await this.start(this.address);
  }

  async end() {
    await this.kill();
    rmSync(this.#place, { recursive: true, force: true });
  }
}

/// The demonstration: two instances over the wire.
export class Demonstration {
  constructor(program, args = []) {
    const minutes = Math.ceil(PATIENCE_MS / 60_000) * 10;
    this.daemon = new Daemon(program, ["demo", "--every", "2", "--for", `${minutes}m`, ...args], tmpdir());
  }

  async start() {
    this.url = await this.daemon.finds(/is shown on (http:\S+)/);
  }

  async end() {
    await this.daemon.stop();
  }
}
