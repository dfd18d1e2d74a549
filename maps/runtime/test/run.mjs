// Bundles the tests and runs them in Node: node test/run.mjs
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gridmap-"));
const tests = readdirSync(here).filter((name) => name.endsWith(".test.ts"));
try {
  await build({
    absWorkingDir: here,
    entryPoints: tests,
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    loader: { ".md": "text" },
    sourcemap: "inline",
    logLevel: "error",
  });
  const files = tests.map((name) => join(folder, `${basename(name, ".ts")}.mjs`));
  // No date on a page may depend on the zone of the machine that shows it.
  const env = { ...process.env, TZ: "Pacific/Auckland" };
  const options = ["--enable-source-maps", "--test", "--test-reporter=spec"];
  const { status } = spawnSync(process.execPath, [...options, ...files], { env, stdio: "inherit" });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
