// Checks and bundles the page runtime: node build.mjs FOLDER [STAMP]
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ALLOWED = new Set(["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT"]);
// The package names no licence in its package.json; this is what its LICENSE file holds.
const UNNAMED = { "leaflet.heat": "BSD-2-Clause" };

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const [folder, stamp = ""] = process.argv.slice(2);
const banner = `/* gridmap runtime ${stamp} */`;

const SCRIPT = {
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
};

function typecheck() {
  const manifest = require.resolve("typescript/package.json");
  const tsc = join(dirname(manifest), require(manifest).bin.tsc);
  execFileSync(process.execPath, [tsc, "--noEmit", "--project", here], { stdio: "inherit" });
}

/** `import program from "worker:FILE"`: a file of src, bundled, as the text of a worker's script. */
const workers = {
  name: "workers",
  setup(builder) {
    builder.onResolve({ filter: /^worker:/ }, ({ path }) => ({
      path: join(here, "src", path.slice("worker:".length)),
      namespace: "worker",
    }));
    builder.onLoad({ filter: /./, namespace: "worker" }, async ({ path }) => {
      const { outputFiles } = await build({ ...SCRIPT, entryPoints: [path], write: false });
      return { contents: outputFiles[0].text, loader: "text" };
    });
  },
};

function bundle() {
  return build({
    ...SCRIPT,
    absWorkingDir: here,
    entryPoints: { runtime: "src/index.ts" },
    outdir: folder,
    metafile: true,
    plugins: [workers],
    loader: { ".png": "dataurl", ".svg": "dataurl" },
    banner: { js: banner, css: banner },
  });
}

// Plugins that folium knows: a page takes in those that it uses, by the names of their files.
const PLUGINS = {
  // Of the third version, which legends of folium's colour maps and choropleths call.
  d3: ["d3.min.js"],
  "leaflet-ant-path": ["dist/leaflet-ant-path.js"],
  "leaflet-groupedlayercontrol": [
    "src/leaflet.groupedlayercontrol.js",
    "src/leaflet.groupedlayercontrol.css",
  ],
  "leaflet-minimap": ["dist/Control.MiniMap.min.js", "dist/Control.MiniMap.min.css"],
  "leaflet-mouse-position": ["src/L.Control.MousePosition.js", "src/L.Control.MousePosition.css"],
  "leaflet-polylineoffset": ["leaflet.polylineoffset.js"],
  "leaflet-search": ["dist/leaflet-search.min.js", "dist/leaflet-search.min.css"],
  "leaflet.control.layers.tree": ["L.Control.Layers.Tree.js", "L.Control.Layers.Tree.css"],
  "leaflet.featuregroup.subgroup": ["dist/leaflet.featuregroup.subgroup.js"],
  "leaflet.fullscreen": ["Control.FullScreen.js", "Control.FullScreen.css"],
  "leaflet.heat": ["dist/leaflet-heat.js"],
  "leaflet.markercluster": [
    "dist/leaflet.markercluster.js",
    "dist/MarkerCluster.css",
    "dist/MarkerCluster.Default.css",
  ],
};

/** Returns the files of the plugins, each with what it draws with inside. */
async function plugins() {
  const files = {};
  for (const [name, paths] of Object.entries(PLUGINS)) {
    for (const path of paths) {
      const css = path.endsWith(".css");
      const { outputFiles } = await build({
        absWorkingDir: here,
        entryPoints: [join(here, "node_modules", name, path)],
        outdir: folder,
        // A script stays as it is, for it adds itself to the Leaflet that the page has.
        bundle: css,
        minify: true,
        charset: "utf8",
        legalComments: "none",
        loader: { ".gif": "dataurl", ".png": "dataurl", ".svg": "dataurl" },
        write: false,
      });
      // As `_plain` in page.py names them.
      const file = path.split("/").pop().toLowerCase().replace(".min.", ".").replace("_", "-");
      files[file] = { package: name, text: outputFiles[0].text };
    }
  }
  return { files, licences: Object.fromEntries(Object.keys(PLUGINS).map((n) => [n, licence(n)])) };
}

function licence(name) {
  const root = join(here, "node_modules", name);
  const { version, license = UNNAMED[name] } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  if (!ALLOWED.has(license)) throw new Error(`${name}: licence ${license} is not allowed`);
  const file = readdirSync(root).find((entry) => /licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} holds no licence text`);
  return { name, version, licence: license, text: readFileSync(join(root, file), "utf8").trim() };
}

try {
  typecheck();
} catch {
  process.exit(1); // tsc has said why
}
const { metafile } = await bundle();
const packages = Object.keys(metafile.inputs)
  .map((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1])
  .filter(Boolean);
const licences = [...new Set(packages)].sort().map(licence);
writeFileSync(join(folder, "licences.json"), `${JSON.stringify(licences, null, 2)}\n`);
writeFileSync(join(folder, "plugins.json"), `${JSON.stringify(await plugins())}\n`);
