// Python's side of a page: a worker that loads Pyodide and runs cells in a Session (fitlib/page/session.py).
// It is asked { act, values }, one thing at a time, and answers with the session's events, with loading
// { sent, of, from }, with again (what was shown is void), and at the end with done { shown, ... } or failed { text }.

const request = self.fetch.bind(self);
const loading = {}, unpacked = {};
let manifest, chapter, call, python, told = 0;

/** What goes wrong before Python can run anything, in one sentence for the reader. */
class Trouble extends Error {}

/** The bytes of a file of the manifest: fetched once, and used only if its digest is the one that was pinned. */
const get = (name) => (loading[name] ??= fetched(name, manifest.files[name]));

async function fetched(name, file) {
  const url = new URL(file.url, self.location), content = new Uint8Array(file.size);
  const wrong = () => new Trouble(`${name} from ${url.host} is not the file that this book was made with, so it was not used.`);
  let at = 0;
  try {
    const response = await request(url, self.crypto.subtle ? {} : { integrity: file.digest }); // else the browser checks
    if (!response.ok) throw new Trouble(`${url.host} has no file ${name} (it answered ${response.status}).`);
    for (let reader = response.body.getReader(), part; !(part = await reader.read()).done; at += part.value.length) {
      if (at + part.value.length > file.size) throw wrong();
      content.set(part.value, at);
      file.done = Math.min(1, (at + part.value.length) / file.size);
      progress();
    }
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble(self.navigator.onLine === false ? "There is no network: connect, and press Run again."
      : `${url.host} could not be reached; perhaps this network blocks it. What the page shows stays as it is.`);
  }
  if (at < file.size) throw wrong();
  if (self.crypto.subtle) {
    const digest = new Uint8Array(await self.crypto.subtle.digest("SHA-256", content));
    if (`sha256-${btoa(String.fromCharCode(...digest))}` !== file.digest) throw wrong();
  }
  return file.url.endsWith(".pack") ? unpack(content) : content;
}

/** What the site has compressed. */
async function unpack(content) {
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The files of a zip archive that is not compressed: pairs of name and bytes. */
function* members(content) {
  const view = new DataView(content.buffer), text = new TextDecoder();
  const end = content.length - 22; // without a comment, the end of the directory has this size
  for (let at = view.getUint32(end + 16, true), left = view.getUint16(end + 10, true); left > 0; left--) {
    const size = view.getUint32(at + 24, true), local = view.getUint32(at + 42, true);
    const [name, ...more] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const begin = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    yield [text.decode(content.subarray(at + 46, at + 46 + name)), content.subarray(begin, begin + size)];
    at += 46 + name + more[0] + more[1];
  }
}

/** Write the files of an archive. (Pyodide's own way, in Python, takes ten times as long.) */
function spread(content, into) {
  const made = new Set();
  for (const [name, bytes] of members(content)) {
    const path = `${into}/${name}`, folder = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(folder)) python.FS.mkdirTree(folder);
    made.add(folder);
    python.FS.writeFile(path, bytes, { canOwn: true });
  }
}

/** How much of what was asked for has come, a few times a second. */
function progress() {
  if (performance.now() < told + 100) return;
  told = performance.now();
  const files = Object.keys(loading).map((name) => manifest.files[name]);
  const sum = (value) => files.reduce((total, file) => total + value(file), 0);
  const from = [...new Set(files.map((file) => new URL(file.url, self.location).host))];
  postMessage({ kind: "loading", sent: sum((file) => file.sent * (file.done ?? 0)), of: sum((file) => file.sent), from });
}

/** The files that modules need. */
const needs = (modules) => [...new Set(modules.flatMap((name) => manifest.packages[name] ?? []))];

/** Put the files that modules need where Python finds them. */
async function provide(modules) {
  const names = needs(modules).filter((name) => !unpacked[name]);
  names.forEach(get);
  for (const name of names) {
    const content = await get(name), { into } = manifest.files[name];
    if (into && manifest.files[name].url.endsWith(".pack")) spread(content, into);
    else if (into) python.unpackArchive(content, "zip", { extractDir: into });
    else python.FS.writeFile(`/lib/${name}`, content);
    if (!into) python.runPython(`import sys; sys.path.append("/lib/${name}")`);
    if (name.startsWith("openblas")) await python._api.loadDynlib("/usr/lib/libopenblas.so", true, []);
    unpacked[name] = true;
  }
  if (names.length) python.runPython("import importlib; importlib.invalidate_caches()");
}

/** Pyodide asks for its files by names: they are those of the manifest, and nothing else is fetched. */
self.fetch = async (url) => {
  const name = String(url).split("/").pop();
  if (name === "lock.json") return new Response(JSON.stringify(manifest.lock));
  const type = name.endsWith("wasm") ? "application/wasm" : "application/octet-stream";
  return new Response(await get(name), { headers: { "Content-Type": type } });
};

const blob = (content) => URL.createObjectURL(new Blob([content], { type: "text/javascript" }));

const BEGIN = `
import json, sys
sys.path.insert(0, "/chapters")
from fitlib.page.session import Session, prepare
prepare()

def begin(cells, shown, loadable):
    session = Session(json.loads(cells), loadable=json.loads(loadable))
    session.shown |= {int(key): value for key, value in json.loads(shown).items()}
    def call(name, values):
        if name == "shown":
            return json.dumps(session.shown)
        if name == "forget":
            return json.dumps(session.shown.pop(json.loads(values)[0], None) and None)
        emit = [lambda event: post(json.dumps(event))] if name in ("run", "run_all", "set") else []
        return json.dumps(getattr(session, name)(*json.loads(values), *emit))
    return call
`;

/** Python with the session of a chapter. */
async function begin({ chapter: name, shown, cells }) {
  const json = async (file) => {
    const response = await request(new URL(file, self.location)).catch(() => {});
    if (!response?.ok) throw new Trouble("The site could not be reached: connect to the network, and press Run again.");
    return response.json();
  };
  [manifest, chapter] = await Promise.all([json("python.json"), json(`chapters/${name}.json`)]);
  const modules = cells.flatMap((place) => chapter.packages[chapter.shown[place]]);
  [...manifest.core, ...needs(["fitlib", ...modules])].forEach((file) => get(file).catch(() => {}));
  progress();
  for (const file of ["pyodide.js", "pyodide.asm.js"]) self.importScripts(blob(await get(file)));
  await Promise.all(manifest.core.map(get)); // what is missing is told here, in our words
  python = await self.loadPyodide({
    indexURL: new URL(".", self.location).href,
    lockFileURL: "lock.json",
    env: { HOME: "/chapters" },
  });
  await provide(["fitlib"]);
  python.globals.set("post", (text) => postMessage(JSON.parse(text)));
  python.runPython(BEGIN);
  const told = [chapter.cells, shown, Object.keys(manifest.packages)].map((value) => JSON.stringify(value));
  call = python.globals.get("begin")(...told);
}

/** What a method of the session returns. */
const ask = (name, ...values) => JSON.parse(call(name, JSON.stringify(values)));

/** Act with all the modules that it turns out to need. */
async function complete(act, ...given) {
  for (let outcome; ;) {
    outcome = ask(act, ...given);
    if (!outcome || outcome === "error") return outcome;
    await provide([outcome]);
    postMessage({ kind: "again" });
  }
}

const known = (cells) => [...new Set(cells.flatMap((cell) => chapter.packages[cell]))];

const ACTS = {
  begin,
  async run({ cell, texts }) {
    await provide(known([cell]));
    const outcome = await complete("run", cell, texts);
    return { outcome, followers: ask("followers", cell, texts), stale: ask("stale", texts) };
  },
  async runAll({ cells, texts }) {
    await provide(known(cells));
    return { outcome: await complete("run_all", cells, texts), stale: ask("stale", texts) };
  },
  set: async ({ id, values }) => ({ outcome: await complete("set", id, values) }),
  reset: ({ cell, texts }) => ask("forget", cell) ?? ({ followers: ask("followers", cell, texts), stale: ask("stale", texts) }),
};

/** One sentence for whatever went wrong. */
function sentence(error) {
  if (error instanceof Trouble) return error.message;
  if (/memory|allocat/i.test(error.message)) return "The browser did not give Python enough memory: close other pages, and press Run again.";
  return `Python stopped, and begins anew at the next Run (${String(error.message).trim().split("\n").pop()}).`;
}

let turn = Promise.resolve();
self.onmessage = ({ data: { act, values } }) => {
  turn = turn.then(() => ACTS[act](values))
    .then((result) => postMessage({ kind: "done", ...result, shown: ask("shown") }))
    .catch((error) => postMessage({ kind: "failed", text: sentence(error) }));
};
