// Python in the page, on the page's side: cells that are edited in place and run in a worker (worker.js), what they show in
// place of the stored output, and the live figures that follow an edit. Loaded when it is first needed (offer.js).

(() => {
  const { base, store, chapter, cells: nodes, element, button } = window.python;

  // --- what is kept in the browser

  const saved = {
    get(key) { try { return localStorage.getItem(store + key); } catch { return null; } },
    set(key, value) {
      try {
        if (value === null) localStorage.removeItem(store + key);
        else localStorage.setItem(store + key, value);
      } catch { /* a browser that keeps nothing */ }
    },
  };

  /** A short name of a text. */
  function hash(text) {
    let a = 0xdeadbeef, b = 0x41c6ce57;
    for (const sign of text) {
      a = Math.imul(a ^ sign.codePointAt(0), 2654435761);
      b = Math.imul(b ^ sign.codePointAt(0), 1597334677);
    }
    return ((a ^ (b >>> 15)) >>> 0).toString(36) + ((b ^ (a >>> 13)) >>> 0).toString(36);
  }

  // --- colors of the text in an editor: the classes that Pygments gives

  const WORDS = {
    ow: "and in is not or",
    kn: "from import",
    kc: "True False None",
    k: "as assert break class continue def del elif else except finally for global if lambda nonlocal pass raise return try while with yield",
    nb: "abs all any bool dict enumerate float int isinstance len list map max min print range reversed round set sorted str sum super tuple type zip",
  };
  for (const kind in WORDS) WORDS[kind] = new Set(WORDS[kind].split(" "));
  const TOKEN = new RegExp([
    /(?<c1>#.*)/, /(?<s2>[rbf]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
    /(?<mi>\b0x[\da-f]+|(?:\b\d[\d_]*\.?[\d_]*|\.\d+)(?:e[+-]?\d+)?j?)/, /(?<n>[\p{L}_][\p{L}\p{N}_]*)/,
    /(?<nd>@[\p{L}_.]+)/, /(?<o>[-+*\/%@=<>!&|^~.]+)/, /(?<p>[()[\]{},:;]+)/,
  ].map((part) => part.source).join("|"), "giu");

  function colored(text) {
    const parts = [];
    let at = 0, before = "";
    for (const match of text.matchAll(TOKEN)) {
      let [kind, word] = Object.entries(match.groups).find(([, found]) => found !== undefined);
      if (kind === "n") kind = before === "def" ? "nf" : before === "class" ? "nc" : Object.keys(WORDS).find((name) => WORDS[name].has(word)) ?? "n";
      parts.push(text.slice(at, match.index), element("span", { class: kind }, word));
      [at, before] = [match.index + word.length, word];
    }
    return [...parts, `${text.slice(at)}\n`];
  }

  let active = 0; // how much is going on
  const counted = (act) => async (...given) => {
    active++;
    try {
      return await act(...given);
    } finally {
      active--;
    }
  };

  // --- cells

  const seen = {};
  const cells = nodes.map((node, place) => {
    const pre = node.querySelector(".cell_input pre"), row = node.querySelector(".py-row");
    const published = pre?.textContent.replace(/\n$/, "");
    const key = pre && hash(published), copy = (seen[key] = (seen[key] ?? 0) + 1);
    const output = node.querySelector(".cell_output") ?? element("div", { class: "cell_output docutils container" });
    const cell = {
      node, place, pre, row, published, text: published, of: published, key: `${key}.${copy}`, output, label: `cell ${place + 1}`,
      html: pre?.innerHTML, stored: [...output.childNodes], exercise: node.matches(".tag_exercise"),
      status: row?.querySelector(".py-status"), alt: output.querySelector(":scope > img")?.alt, turn: Promise.resolve(),
    };
    if (!pre) return cell;
    cell.runButton = row.querySelector("button");
    cell.resetButton = button("Reset", `Reset ${cell.label}`, () => reset(cell));
    cell.aboveButton = button("Run all above", `Run all cells above ${cell.label}`, () => runAll(cell, cells.slice(0, place)));
    cell.aboveButton.classList.add("py-more");
    row.append(cell.aboveButton);
    return cell;
  });
  const first = cells.find((cell) => cell.pre);
  const allButton = button("Run all", "Run all cells of this chapter", () => runAll(first, cells));
  allButton.classList.add("py-more");
  first?.row.append(allButton);

  const said = document.body.appendChild(element("div", { class: "py-said", "aria-live": "polite" }));
  /** Tell a screen reader; the same words twice are told twice. */
  const say = (text) => { said.textContent = said.textContent === text ? `${text} ` : text; };

  const edits = () => Object.fromEntries(
    cells.filter((cell) => cell.pre && cell.text !== cell.published).map((cell) => [indexOf(cell), cell.text]));

  function write(cell, text) {
    cell.text = text;
    const edited = text !== cell.published;
    saved.set(cell.key, edited ? text : null);
    if (edited) cell.pre.replaceChildren(...colored(text));
    else cell.pre.innerHTML = cell.html;
    offerReset(cell);
  }

  function offerReset(cell) {
    const changed = cell.text !== cell.published || cell.ran;
    if (changed && !cell.resetButton.isConnected) cell.row.insertBefore(cell.resetButton, cell.status);
    if (!changed) cell.resetButton.remove();
  }

  function reset(cell) {
    leave(cell);
    [cell.ran, cell.of] = [false, cell.published];
    noted(cell, null);
    write(cell, cell.published);
    restore(cell);
    tell(cell, "");
    say(`${cell.label} is as it was published.`);
    cell.runButton.focus();
    if (worker) changed(cell);
  }

  function restore(cell) {
    end(cell.output);
    cell.output.replaceChildren(...cell.stored);
    if (!cell.stored.length) cell.output.remove();
  }

  /** The words beside a cell's buttons, with what follows them. */
  function tell(cell, text, ...more) {
    cell.status?.replaceChildren(...more, text);
  }

  // --- the editor

  function edit(place) {
    const cell = cells[place], box = cell.pre.parentElement;
    if (cell.editor) return cell.editor.focus();
    const area = element("textarea", {
      class: "py-text", "aria-label": `Code of ${cell.label}; Escape leaves it, Control and Enter run it`,
      spellcheck: "false", autocapitalize: "off", autocomplete: "off", autocorrect: "off", wrap: "off",
    });
    area.value = cell.text;
    const style = getComputedStyle(cell.pre);
    for (const name of ["fontFamily", "fontSize", "lineHeight", "padding"]) area.style[name] = style[name];
    const size = () => area.setAttribute("rows", area.value.split("\n").length);
    size();
    area.addEventListener("input", () => { write(cell, area.value); size(); });
    area.addEventListener("keydown", (event) => key(cell, area, event));
    area.addEventListener("blur", () => leave(cell));
    box.classList.add("py-editing");
    box.append((cell.editor = area));
    area.focus({ preventScroll: true });
    const blank = cell.text.indexOf("...");
    area.setSelectionRange(...(blank >= 0 ? [blank, blank + 3] : [0, 0]));
  }

  function key(cell, area, event) {
    const runs = event.key === "Enter" && (event.ctrlKey || event.metaKey || event.shiftKey);
    const type = (text) => document.execCommand("insertText", false, text); // so that undo knows it
    const line = area.value.slice(0, area.selectionStart).split("\n").pop();
    if (runs) press(cell.place, true);
    else if (event.key === "Escape") { leave(cell); cell.runButton.nextSibling.focus(); }
    else if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey) type(" ".repeat(4 - (line.length % 4)));
    else if (event.key === "Tab" && event.shiftKey && /^ +$/.test(line)) {
      area.setSelectionRange(area.selectionStart - ((line.length - 1) % 4) - 1, area.selectionEnd);
      type("");
    } else if (event.key === "Enter") type(`\n${line.match(/^ */)[0]}${/:\s*(#.*)?$/.test(line) ? "    " : ""}`);
    else return;
    event.preventDefault();
  }

  function leave(cell) {
    const area = cell.editor;
    if (!area) return;
    cell.editor = null; // first: what follows takes the focus away, which leads here
    area.parentElement.classList.remove("py-editing");
    area.remove();
  }

  // --- what a cell shows

  /** Stop the live figures in an element; those of the published page live on, for `reset`. */
  function end(place) {
    for (const figure of place.querySelectorAll(".fm-figure.py-made")) figure.end?.();
  }

  /** The place of a cell's new output, emptied at the first of them. */
  function target(cell, event) {
    const place = cell.interact?.[event?.kind === "controls" ? undefined : event?.id] ?? cell.output;
    if (place.fresh) return place;
    place.fresh = true;
    if (place === cell.output && !place.isConnected) cell.node.append(place);
    if (place === cell.output) cell.before = place.querySelector(".fm-figure");
    end(place);
    place.replaceChildren();
    return place;
  }

  function block(kind, ...children) {
    return element("div", { class: `output ${kind}` }, ...children);
  }

  const text = (kind, content) => block(`${kind} highlight-myst-ansi notranslate`,
    element("div", { class: "highlight" }, element("pre", {}, content)));

  const told = ({ name, message }) => (name ? `${name}: ${message}` : message);

  const SHOW = {
    stream(cell, { text: content, name }, place) {
      let last = place.lastElementChild;
      if (last?.dataset.stream !== name) {
        place.append((last = text("stream", "")));
        [last.dataset.stream, last.raw] = [name, ""];
      }
      last.raw = (last.raw + content).replace(/[^\n]*\r(?=[^\n])/g, ""); // back to the beginning of the line
      last.querySelector("pre").textContent = last.raw;
    },
    data(cell, { data }, place) {
      const make = {
        "text/html": (content) => Object.assign(block("text_html"), { innerHTML: content }),
        "text/latex": (content) => block("text_latex math notranslate nohighlight", `\\[${content.replace(/^\$+(\\displaystyle)?|\$+$/g, "")}\\]`),
        "image/svg+xml": (content) => element("img", { alt: cell.alt ?? "What the cell draws", src: `data:image/svg+xml,${encodeURIComponent(content)}` }),
        "image/png": (content) => element("img", { alt: cell.alt ?? "What the cell draws", src: `data:image/png;base64,${content}` }),
        "text/plain": (content) => text("text_plain", content),
      };
      const [type, content] = Object.entries(data).find(([name]) => make[name]) ?? [];
      if (!type) return;
      const shown = make[type](content);
      place.append(shown);
      if (type === "text/latex") window.MathJax?.typesetPromise?.([shown]);
      if (cell.exercise && /✓|✗|×/.test(shown.textContent)) {
        cell.report = shown.textContent.trim();
        saved.set(`${cell.key}:solved`, /^✓/.test(cell.report) ? "yes" : saved.get(`${cell.key}:solved`));
      }
    },
    async figure(cell, { figure: kind, spec }, place) {
      const json = element("script", { type: "application/json" }, JSON.stringify(spec));
      const made = element("div", { class: "fm-figure py-made", "data-kind": kind }, json);
      const before = cell.before;
      cell.before = null;
      place.append(block("text_html", made));
      await host();
      await window.figures.bring(made, before?.model?.place, before);
    },
    controls(cell, { id, controls }, place) {
      const pictures = element("div", {});
      cell.interact = { ...cell.interact, [id]: pictures };
      place.append(block("py-interact", element("div", { class: "py-controls" }, ...controls.map((one) => control(cell, id, one))), pictures));
    },
    error(cell, { name, message, line, text: source, index }, place) {
      const where = index === undefined || index === indexOf(cell) ? "" : `in cell ${cells.findIndex((one) => indexOf(one) === index) + 1 || "a hidden cell"}, `;
      const lines = line == null ? "" : `${where}line ${line}:\n${(source ?? "").trim()}\n\n`;
      place.append(block("py-error", element("pre", {}, `${lines ? lines[0].toUpperCase() + lines.slice(1) : ""}${told({ name, message })}`)));
    },
  };

  /** The script of the figures, which a page without one does not have. */
  const host = () => (window.figures ? Promise.resolve() : (host.loading ??= new Promise((done) => {
    document.head.append(element("link", { rel: "stylesheet", href: `${base}../figures.css` }),
      Object.assign(element("script", { src: `${base}../figures.js` }), { onload: done }));
  })));

  function show(cell, event) {
    if (!SHOW[event.kind]) return;
    cell.turn = cell.turn.then(() => SHOW[event.kind](cell, event, target(cell, event))).catch(console.error);
  }

  // --- controls of `interact`: what the reader sets last is what is drawn

  function control(cell, id, { name, label, kind, value, lo, hi, step, base: power, options }) {
    const read = (v) => (power ? Number((power ** v).toPrecision(4)) : Number(Number(v).toPrecision(6)));
    const input = kind === "choice" ? element("select", {}, ...options.map((option, i) => element("option", { value: i }, option)))
      : element("input", kind === "check" ? { type: "checkbox" } : { type: "range", min: lo, max: hi, step });
    if (kind === "check") input.checked = value;
    else input.value = value;
    const output = kind === "range" ? [element("output", {}, read(value))] : [];
    input.addEventListener("input", () => {
      const now = kind === "check" ? input.checked : Number(input.value);
      if (output.length) output[0].textContent = read(now);
      move(cell, id, name, now);
    });
    return element("label", {}, label, input, ...output);
  }

  const move = counted(async (cell, id, name, value) => {
    const place = cell.interact[id];
    place.wanted = { ...place.wanted, [name]: value };
    if (place.moving) return;
    place.moving = true;
    const busy = setTimeout(() => place.classList.add("py-busy"), 300);
    while (place.wanted) {
      const values = place.wanted;
      [place.wanted, place.fresh] = [null, false];
      const done = await ask("set", { id, values }, (event) => show(cell, event));
      if (done.kind === "failed") tell(cell, done.text);
      await cell.turn;
    }
    clearTimeout(busy);
    place.moving = false;
    place.classList.remove("py-busy");
  });

  // --- the worker

  let worker, ready, chapterCells, current, queue = [], shown = {};
  const indexOf = (cell) => chapterCells?.shown[cell.place];

  /** Ask the worker, when it is free: resolves with the event that ends the job. */
  function ask(act, values, see) {
    if (!worker) return Promise.resolve({ kind: "failed", text: "Python has stopped: run the cell again." });
    return new Promise((done) => {
      queue.push({ act, values, see, done });
      next();
    });
  }

  function next() {
    if (current || !queue.length) return;
    current = queue.shift();
    worker.postMessage({ act: current.act, values: current.values });
  }

  function receive({ data: event }) {
    if (event.kind === "failed") stop(event);
    else if (event.kind === "done") {
      const { done } = current;
      [current, shown] = [null, event.shown];
      done(event);
      next();
    } else current.see?.(event);
  }

  /** End Python; the next Run begins anew. */
  function stop(event = { kind: "failed", text: "Stopped." }) {
    worker?.terminate();
    const waiting = [current, ...queue];
    [worker, ready, current, queue] = [null, null, null, []];
    waiting.forEach((job) => job?.done(event));
  }

  /** Python, with what these cells need. */
  const start = (places, see) => (ready ??= begin(places, see).catch((error) => { ready = null; throw error; }));

  async function begin(places, see) {
    if (location.protocol === "file:") throw "A page that is opened from disk cannot run Python: serve its folder, for example with python3 -m http.server.";
    if (!window.WebAssembly || !window.Worker) throw "This browser is too old to run Python, or it is switched off there.";
    const answer = await fetch(`${base}chapters/${chapter}.json`).catch(() => {});
    if (!answer?.ok) throw "The site could not be reached: connect to the network, and press Run again.";
    chapterCells = await answer.json();
    worker = new Worker(`${base}worker.js`);
    worker.onmessage = receive;
    worker.onerror = () => stop({ kind: "failed", text: "Python could not be started: its script was not loaded." });
    const done = await ask("begin", { chapter, shown, cells: places }, see);
    if (done.kind !== "done") throw done.text;
  }

  // --- running

  const MEGA = (bytes) => (bytes / 1e6).toFixed(1);

  function progress(cell, event) {
    if (event.kind === "loading") {
      const bar = element("progress", { max: event.of, value: event.sent, "aria-label": "loading Python" });
      const text = `Loading Python: ${MEGA(event.sent)} of ${MEGA(event.of)} MB from ${event.from.join(" and ")}`;
      if (!cell.announced) say(text);
      cell.announced = true;
      tell(cell, text, bar);
    } else if (event.kind === "progress" && event.of > 1) {
      tell(cell, `${event.done} of ${event.of}`, element("progress", { max: event.of, value: event.done, "aria-label": "running" }));
    }
  }

  /** Turn a cell's Run into Stop and back. */
  function busy(cell, is) {
    if (!cell.runButton) return;
    cell.runButton.textContent = is ? "Stop" : "Run";
    cell.runButton.setAttribute("aria-label", `${is ? "Stop" : "Run"} ${cell.label}`);
    cell.busy = is;
    cell.output.setAttribute("aria-busy", is);
  }

  /** Run a cell; with `follows`, because what it uses has changed: then what failed leaves the old output there. */
  async function run(place, follows = false) {
    const cell = cells[place], held = [], { text: of } = cell;
    busy(cell, true);
    tell(cell, follows ? "Following …" : "Running …");
    [cell.output.fresh, cell.report, cell.announced] = [false, null, false];
    let failed;
    try {
      await start([place], (event) => progress(cell, event));
      const note = chapterCells.notes[indexOf(cell)];
      if (note) tell(cell, `Running … ${note}`);
      const done = await ask("run", { cell: indexOf(cell), texts: edits() }, (event) => {
        if (event.kind === "again") [cell.output.fresh, failed, held.length] = [false, null, 0];
        else if (event.kind === "error") failed = event;
        progress(cell, event);
        if (follows) held.push(event);
        else show(cell, event);
      });
      if (done.kind !== "done") throw done.text;
      if (!failed) held.forEach((event) => show(cell, event));
      await cell.turn;
      if (!cell.output.fresh && !follows) target(cell);
      [cell.ran, cell.of] = [true, of];
      noted(cell, follows && failed ? `${told(failed)} What is shown is from before.` : null);
      tell(cell, cell.exercise && saved.get(`${cell.key}:solved`) ? "solved" : "");
      if (!follows) say(failed ? told(failed) : cell.report ?? `${cell.label} has run.`);
      if (cell.pre) offerReset(cell);
      busy(cell, false);
      if (follows) mark(done.stale);
      else await settle(done);
    } catch (text) {
      tell(cell, String(text));
      say(String(text));
    }
    busy(cell, false);
  }

  /** Run, or stop what runs; a key that asks for Run while the cell runs is heard when it has ended. */
  const press = counted(async (place, byKey = false) => {
    const cell = cells[place];
    if (cell.busy && !byKey) return stop();
    if (cell.busy) return void (cell.again = true);
    do {
      cell.again = false;
      await run(place);
    } while (cell.again);
  });

  /** After something changed: which cells are out of date now, and the figures among them made anew. */
  const settle = counted(async ({ kind, stale, followers }) => {
    if (kind !== "done") return;
    mark(stale);
    await follow(followers.filter((index) => stale.includes(index)));
  });

  /** A sentence below what a cell shows, or none. */
  function noted(cell, sentence) {
    cell.note?.remove();
    cell.note = sentence && element("p", { class: "py-note", role: "status" }, sentence);
    if (cell.note) cell.output.after(cell.note);
  }

  /** Run these cells, whose figures use what was changed: first those that are in view. */
  async function follow(indices) {
    const away = ({ output }) => {
      const { top, bottom } = output.getBoundingClientRect();
      return bottom < 0 ? innerHeight - bottom : top > innerHeight ? top : 0;
    };
    const list = cells.filter((cell) => indices.includes(indexOf(cell))).sort((a, b) => away(a) - away(b));
    const mine = (follow.latest = list);
    for (const cell of list) if (worker && mine === follow.latest && !cell.busy) await run(cell.place, true);
  }

  /** Say which cells show what came from other texts than those of now. */
  function mark(stale) {
    for (const cell of cells) {
      const is = stale.includes(indexOf(cell)) && cell.text === cell.of; // an edit of its own is seen
      if (is === Boolean(cell.old)) continue;
      cell.old?.remove();
      cell.old = !is ? null : element("span", { class: "py-stale" }, "What it uses has changed. ", button("Update", `Update ${cell.label}`, () => press(cell.place)));
      if (is && cell.row) cell.status.after(cell.old);
      else if (is) cell.output.after(cell.old);
    }
  }

  /** After a cell was put back. */
  const changed = counted(async (cell) => settle(await ask("reset", { cell: indexOf(cell), texts: edits() })));

  const runAll = counted(async (at, list) => {
    const places = list.map((cell) => cell.place);
    let failed, turn = 0;
    busy(at, true);
    tell(at, "Running …");
    list.forEach((cell) => { cell.output.fresh = false; });
    try {
      await start(places, (event) => progress(at, event));
      const done = await ask("runAll", { cells: list.map(indexOf), texts: edits() }, (event) => {
        const cell = cells.find((one) => event.cell != null && indexOf(one) === event.cell);
        if (event.kind === "error") failed = event;
        else if (event.kind === "again") list.slice(turn).forEach((one) => { one.output.fresh = false; });
        if (event.kind === "loading" || event.cell === null) progress(at, event);
        if (event.kind === "progress" && event.cell === null) for (; turn < event.done; turn++) {
          const ready = list[turn];
          ready.turn = ready.turn.then(() => { if (!ready.output.fresh) target(ready); [ready.ran, ready.of] = [true, ready.text]; if (ready.pre) offerReset(ready); });
        }
        if (cell && event.kind !== "progress") show(cell, event);
      });
      if (done.kind !== "done") throw done.text;
      mark(done.stale);
      tell(at, failed ? `An error ended it: ${told(failed)}` : "All have run.");
      say(at.status.textContent);
    } catch (text) {
      tell(at, String(text));
      say(String(text));
    }
    busy(at, false);
  });

  // --- what was kept

  for (const cell of cells.filter((one) => one.pre)) {
    const text = saved.get(cell.key);
    if (text !== null) write(cell, text);
    if (text !== null) tell(cell, "your edit; not run yet");
    if (saved.get(`${cell.key}:solved`)) tell(cell, "solved");
  }
  Object.assign(window.python, { run: press, edit, idle: () => !active });
})();
