// The kit: what the figures of the book share. Python puts this text in front of a figure's own module,
// because a module that comes from a Blob cannot import its neighbors; so nothing here is exported.
//
// Numbers   clamp(v, lo, hi) · show(v, digits) as text · ticks(lo, hi, count) · logTicks(lo, hi, count)
// Words     sentences(texts)
// Chance    random(seed, a, b) · batches(points, size, steps, seed, replace), the same as in Python
// Rules     fold(rule, hyper, start, steps, gradient, see)
// Grids     sample(f, box, nx, ny) · quantiles(z, shares) · contours(z, nx, ny, level) · joined(segments)
// Elements  html(tag, attributes, ...children) · svg(...) · set(node, attributes) · table(caption, head, rows)
//           trace(xs, ys, from, to) -> "M..L.." · beads(xs, ys) -> dots · color(root, name)
// Life      lifecycle(): on, listen, frame, later, resized, themed, end. Whatever a figure starts ends with it.
// Parts     shell(el, spec, life): the frame of a figure with its places (legend, tools, panels, controls ...)
//           panel(life, options): a titled plot: axes, clipped drawing, pixels <-> numbers
//           slider, choice, control(life, model, options) · snap(options): numbers on the steps of a slider
//           legend(life, place, items, toggle) · button(life, label, action, attributes)
//           player(life, model, name, last): a button that runs a trait through its steps
//           movable(life, panel, options): something that pointer and arrow keys move in a panel
// State     tools(life, model, ui, spec, fields): reset, and the link to the state in the page's address
//           fieldsOf(controls, labels) · parse(text, ranges) · toggled(list, item)
// Code      load(text): a module from its text

const clamp = (v, lo, hi) => Math.min(Math.max(v, lo), hi);

/** A number as a reader writes it: 0.0231, 1,230 without commas, 2.3×10⁻⁵, −4. */
function show(v, digits = 3) {
  if (!Number.isFinite(v)) return Number.isNaN(v) ? "not a number" : v > 0 ? "∞" : "−∞";
  const size = Math.abs(v);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) {
    const [mantissa, exponent] = v.toExponential(Math.min(digits, 3) - 1).split("e");
    const raised = exponent.replace("+", "").replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
    return `${Number(mantissa)}×10${raised}`.replace("-", "−").replace(/^(−?)1×/, "$1");
  }
  return String(Number(v.toPrecision(Math.max(digits, Math.ceil(Math.log10(size + 1)))))).replace("-", "−");
}

/** Texts as sentences. */
const sentences = (texts) => texts.map((text) => `${text[0].toUpperCase()}${text.slice(1)}.`).join(" ");

/** Round numbers from lo to hi, about `count` of them, two or more. */
function ticks(lo, hi, count) {
  const rough = (hi - lo) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.8);
  const first = Math.ceil(lo / step - 1e-9), length = Math.floor(hi / step + 1e-9) - first + 1;
  if (length < 2) return ticks(lo, hi, 2 * count);
  return Array.from({ length }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Powers of ten from lo to hi; with 2 and 5 between them where there is room; where only one fits, round numbers. */
function logTicks(lo, hi, count) {
  const decades = Math.log10(hi / lo);
  const among = decades * 3 < count ? [1, 2, 5] : decades * 1.5 < count + 1 ? [1, 3] : [1];
  const every = Math.max(1, Math.ceil(decades / count)), list = [];
  for (let k = Math.floor(Math.log10(lo)); k <= Math.log10(hi); k++) {
    if (k % every === 0) list.push(...among.map((m) => Number(`${m}e${k}`)));
  }
  const seen = list.filter((v) => v >= lo * 0.999 && v <= hi * 1.001);
  return seen.length > 1 ? seen : ticks(lo, hi, count);
}

const GOLDEN = 0x9e3779b9;

/** A random integer below 2**32 that depends on three counters alone (fitlib.fitting.random_integers). */
function random(seed, a, b) {
  const mix = (x) => {
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    return x ^ (x >>> 16);
  };
  return mix((mix((mix((seed + GOLDEN) | 0) + a + GOLDEN) | 0) + b + GOLDEN) | 0) >>> 0;
}

/** The data points of every batch, an Int32Array per step (fitlib.fitting.batches). */
function batches(points, size, steps, seed, replace) {
  if (replace) {
    return Array.from({ length: steps }, (_, i) =>
      Int32Array.from({ length: size }, (_, j) => Math.floor((random(seed, i + 1, j) * points) / 2 ** 32)));
  }
  const perEpoch = Math.floor(points / size), list = [];
  for (let epoch = 0; list.length < steps; epoch++) {
    const keys = Array.from({ length: points }, (_, i) => random(seed, epoch, i));
    const order = Int32Array.from(keys.keys()).sort((i, j) => keys[i] - keys[j] || i - j);
    for (let k = 0; k < perEpoch && list.length < steps; k++) list.push(order.slice(k * size, (k + 1) * size));
  }
  return list;
}

/** Take `steps` steps of a rule. `see(t, state)` is called before the first and after each; false ends it. */
function fold({ step, initial }, hyper, start, steps, gradient, see) {
  const state = Float64Array.from(initial, (slot) => (typeof slot === "string" ? start[slot] : slot));
  const g = new Float64Array(start.length);
  for (let t = 0; see(t, state) !== false && t < steps; t++) step(t + 1, state, hyper, gradient, g);
}

/** f(x, y) on a grid over the box, row by row from the lower left corner. */
function sample(f, [[x0, x1], [y0, y1]], nx, ny) {
  const z = new Float64Array(nx * ny);
  for (let j = 0, k = 0; j < ny; j++) {
    const y = y0 + ((y1 - y0) * j) / (ny - 1);
    for (let i = 0; i < nx; i++) z[k++] = f(x0 + ((x1 - x0) * i) / (nx - 1), y);
  }
  return z;
}

/** The values below which these shares of the finite numbers of z lie. */
function quantiles(z, shares) {
  const sorted = z.filter(Number.isFinite).sort();
  return shares.map((share) => sorted[Math.round(share * (sorted.length - 1))]);
}

/** Marching squares: the line z = level as segments [x, y, x, y, ...] in units of the grid. */
function contours(z, nx, ny, level) {
  const segments = [], at = (a, b) => (level - a) / (b - a);
  for (let j = 0; j < ny - 1; j++) {
    for (let i = 0; i < nx - 1; i++) {
      const k = j * nx + i, a = z[k], b = z[k + 1], c = z[k + nx + 1], d = z[k + nx];
      const A = a > level, B = b > level, C = c > level, D = d > level;
      if ((A === B && B === C && C === D) || !Number.isFinite(a + b + c + d)) continue;
      const hits = []; // around the cell: bottom, right, top, left
      if (A !== B) hits.push([i + at(a, b), j]);
      if (B !== C) hits.push([i + 1, j + at(b, c)]);
      if (C !== D) hits.push([i + at(d, c), j + 1]);
      if (D !== A) hits.push([i, j + at(a, d)]);
      if (hits.length === 4 && (a + b + c + d) / 4 > level === A) hits.push(hits.shift()); // a saddle in the cell
      for (let n = 0; n < hits.length; n += 2) segments.push(...hits[n], ...hits[n + 1]);
    }
  }
  return segments;
}

const TARGET = "M0 -7a7 7 0 1 0 .01 0M0 -2.500a2.500 2.500 0 1 0 .01 0"; // two rings

/** Segments that meet, joined into lines of points [x, y, x, y, ...]. */
function joined(segments) {
  const ends = segments.length / 2, partner = new Int32Array(ends).fill(-1), open = new Map(), lines = [];
  for (let e = 0; e < ends; e++) { // a point belongs to two ends at most: those of neighboring cells
    const key = Math.round(segments[2 * e] * 2 ** 16) * 2 ** 26 + Math.round(segments[2 * e + 1] * 2 ** 16);
    const other = open.get(key);
    if (other === undefined) open.set(key, e);
    else [partner[e], partner[other]] = [other, e];
  }
  const used = new Uint8Array(ends);
  const follow = (from) => {
    const line = [segments[2 * from], segments[2 * from + 1]];
    for (let e = from; e >= 0 && !used[e]; e = partner[e]) {
      used[e] = used[e ^ 1] = 1;
      e ^= 1; // the other end of the segment
      line.push(segments[2 * e], segments[2 * e + 1]);
    }
    lines.push(line);
  };
  for (let e = 0; e < ends; e++) if (partner[e] < 0 && !used[e]) follow(e); // open lines from their ends,
  for (let e = 0; e < ends; e++) if (!used[e]) follow(e); // then closed ones
  return lines;
}

function element(space, tag, attributes, children) {
  const node = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) if (value != null) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const html = (tag, attributes, ...children) => element("http://www.w3.org/1999/xhtml", tag, attributes, children);
const svg = (tag, attributes, ...children) => element("http://www.w3.org/2000/svg", tag, attributes, children);

/** An element with markup that Python made from Markdown, without raw HTML in it. */
function rich(tag, attributes, markup) {
  const node = html(tag, attributes);
  node.innerHTML = markup;
  return node;
}

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

/** What a color of the stylesheet is here and now: [red, green, blue]. */
function color(root, name) {
  const probe = root.appendChild(html("span", { style: `color:var(${name})` }));
  const parts = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return parts;
}

/** A table with a caption; the first cell of a row names it. */
function table(caption, head, rows) {
  const cell = (tag, scope) => (text) => html(tag, { scope }, String(text));
  return html("table", {}, html("caption", {}, caption),
    html("thead", {}, html("tr", {}, ...head.map(cell("th", "col")))),
    html("tbody", {}, ...rows.map(([name, ...rest]) =>
      html("tr", {}, cell("th", "row")(name), ...rest.map(cell("td"))))));
}

/** Points in pixels as an SVG path: equal tenths of a pixel are skipped, the line is split where it is not finite. */
function trace(xs, ys, from = 0, to = xs.length) {
  let text = "", pen = false, lastX, lastY;
  for (let i = from; i < to; i++) {
    const x = Math.round(xs[i] * 10), y = Math.round(ys[i] * 10);
    if (!(Math.abs(x) < 1e5 && Math.abs(y) < 1e5)) { // ten thousand pixels away
      pen = false;
    } else if (!pen || x !== lastX || y !== lastY) {
      text += `${pen ? "L" : "M"}${x / 10} ${y / 10}`;
      [pen, lastX, lastY] = [true, x, y];
    }
  }
  return text;
}

/** Points in pixels as an SVG path of dots, but for those that are not finite or ten thousand pixels away. */
const beads = (xs, ys) => Array.from(xs, (x, i) =>
  (Math.max(Math.abs(x), Math.abs(ys[i])) < 1e4 ? `M${x.toFixed(1)} ${ys[i].toFixed(1)}h0` : "")).join("");

/** Everything a figure starts, so that it can be ended. */
function lifecycle() {
  const ends = [];
  const timers = new Set();
  const life = {
    /** A listener on an element. */
    on(target, types, handler, options) {
      for (const type of types.split(" ")) {
        target.addEventListener(type, handler, options);
        ends.push(() => target.removeEventListener(type, handler, options));
      }
    },
    /** A listener on the model. */
    listen(model, names, handler) {
      for (const name of names) {
        const call = () => handler(name);
        model.on(`change:${name}`, call);
        ends.push(() => model.off(`change:${name}`, call));
      }
    },
    /** A request for `draw`: at most once per animation frame. */
    frame(draw) {
      let waiting = 0;
      ends.push(() => cancelAnimationFrame(waiting));
      return () => { waiting ||= requestAnimationFrame((now) => { waiting = 0; draw(now); }); };
    },
    /** A request for `act` once nobody has asked for `ms` milliseconds. */
    later(ms, act) {
      let timer;
      return () => {
        clearTimeout(timer);
        timers.delete(timer);
        timers.add((timer = setTimeout(act, ms)));
      };
    },
    /** `act` when the size of an element changes. */
    resized(node, act) {
      const observer = new ResizeObserver(act);
      observer.observe(node);
      ends.push(() => observer.disconnect());
    },
    /** `act` when the figure turns dark or light. */
    themed(root, act) {
      const now = () => String(color(root, "--fm-text"));
      let before = now();
      const look = () => before !== (before = now()) && act();
      const observer = new MutationObserver(look), attributeFilter = ["data-theme", "data-jp-theme-light"];
      for (const node of [document.documentElement, document.body]) observer.observe(node, { attributeFilter });
      ends.push(() => observer.disconnect());
      life.on(matchMedia("(prefers-color-scheme: dark)"), "change", look);
    },
    end() {
      for (const end of ends.splice(0)) end();
      timers.forEach(clearTimeout);
    },
  };
  return life;
}

/** The frame of a figure. `say(text)` states the outcome; it is announced once the reader pauses. */
function shell(el, spec, life) {
  const place = (name, tag = "div", attributes = {}) => html(tag, { class: `fm-${name}`, ...attributes });
  const parts = {
    legend: place("legend", "div", { role: "group", "aria-label": "what is shown" }),
    tools: place("tools"), panels: place("panels"), timeline: place("timeline"), controls: place("controls"),
    outcome: place("outcome", "p", { "aria-hidden": "true" }), said: place("said", "p", { "aria-live": "polite" }),
    caption: place("caption", "figcaption"), numbers: place("numbers", "details"),
  };
  parts.caption.textContent = spec.caption;
  parts.numbers.append(html("summary", {}, "The numbers behind the figure"));
  const body = html("div", { class: "fm-body" }, html("div", { class: "fm-head" }, parts.legend, parts.tools),
    parts.panels, parts.timeline, parts.controls, parts.outcome, parts.said, parts.caption, parts.numbers);
  const root = html("figure", { class: "fm", role: "group", "aria-label": spec.alt }, body);
  el.replaceChildren(root);
  const announce = life.later(600, () => { parts.said.textContent = parts.outcome.textContent; });
  parts.say = (text) => {
    if (text === parts.outcome.textContent) return;
    if (!parts.outcome.textContent) parts.said.textContent = text; // at first there is nothing to announce
    parts.outcome.textContent = text;
    announce();
  };
  /** Numbers as text: `make()` gives tables; they are made while the reader has them open. */
  parts.tables = (make) => {
    const fill = () => parts.numbers.open && parts.numbers.replaceChildren(parts.numbers.firstChild, ...make());
    life.on(parts.numbers, "toggle", fill);
    return life.later(200, fill);
  };
  return Object.assign(parts, { root });
}

/** A titled plot. `frame` draws the axes and sets the scales: `x`, `y` to pixels, `at(event)` to numbers. */
function panel(life, { title, name, xlabel = "", className = "", left = 38 }) {
  const heading = html("div", { class: "fm-heading" }, html("span", { class: "fm-title" }, title));
  const readout = html("span", { class: "fm-readout" });
  heading.append(readout);
  const grid = svg("g", { class: "fm-axes", "aria-hidden": "true" });
  const inside = svg("svg", { class: "fm-inside" }); // a nested svg clips, without an id
  const border = svg("rect", { class: "fm-border" });
  const over = svg("g", {});
  const plot = svg("svg", { class: "fm-svg", role: "group", "aria-label": name ?? title }, grid, inside, border, over);
  const box = html("div", { class: "fm-plot" }, plot);
  const p = { root: html("div", { class: `fm-panel ${className}` }, heading, box), box, plot, inside, over, readout };
  p.title = (text) => { if (heading.firstChild.textContent !== text) heading.firstChild.textContent = text; };
  p.path = (name, color) => inside.appendChild(svg("path", { class: name, style: color && `--fm-c:${color}` }));
  p.dot = (color) => over.appendChild(svg("circle", { class: "fm-dot", r: 4.5, style: `--fm-c:${color}` }));
  p.put = (dot, x, y) => { // hidden where it would lie outside
    const seen = x >= -1 && x <= p.w + 1 && y >= -1 && y <= p.h + 1;
    set(dot, { cx: seen ? x : 0, cy: seen ? y : 0, visibility: seen ? "visible" : "hidden" });
  };
  const margin = { left, right: 8, top: 4, bottom: xlabel ? 34 : 20 };
  p.height = (of) => { // as high as a function of the width of the drawing says
    const wide = box.getBoundingClientRect().width - margin.left - margin.right;
    set(box, { style: `flex:none;height:${Math.round(of(wide) + margin.top + margin.bottom)}px` });
  };

  p.frame = ({ x: [x0, x1], y: [y0, y1], log = false, logX = false }) => {
    const { width, height } = box.getBoundingClientRect(), { left, right, top, bottom } = margin;
    const w = Math.max(40, width - left - right), h = Math.max(40, height - top - bottom);
    const f = log ? Math.log10 : Number, span = f(y1) - f(y0), g = logX ? Math.log10 : Number, reach = g(x1) - g(x0);
    p.w = w; p.h = h; p.left = left; p.top = top;
    p.x = (v) => ((g(v) - g(x0)) / reach) * w;
    p.y = (v) => (1 - (f(v) - f(y0)) / span) * h;
    const share = (event) => {
      const area = plot.getBoundingClientRect(), scale = width / area.width || 1;
      return [((event.clientX - area.left) * scale - left) / w, 1 - ((event.clientY - area.top) * scale - top) / h];
    };
    p.hits = (event) => share(event).every((v) => v >= 0 && v <= 1);
    p.at = (event) => {
      const [u, v] = share(event).map((part) => clamp(part, 0, 1));
      return [logX ? 10 ** (g(x0) + u * reach) : x0 + u * reach, log ? 10 ** (f(y0) + v * span) : y0 + v * span];
    };
    set(plot, { viewBox: `0 0 ${width} ${height}` });
    set(inside, { x: left, y: top, width: w, height: h });
    set(border, { x: left - 0.5, y: top - 0.5, width: w + 1, height: h + 1 });
    set(over, { transform: `translate(${left} ${top})` });
    const key = JSON.stringify([x0, x1, y0, y1, width, height]);
    if (p.key === key) return;
    p.key = key;
    const text = (x, y, anchor, label) => svg("text", { x, y, "text-anchor": anchor }, label);
    const line = (d) => svg("path", { class: "fm-tick", d });
    const across = (logX ? logTicks : ticks)(x0, x1, Math.max(2, w / 75));
    const up = (log ? logTicks : ticks)(y0, y1, Math.max(2, h / 42));
    grid.replaceChildren(
      ...across.flatMap((v) => {
        const X = left + p.x(v);
        return [line(`M${X} ${top + h}v4`), text(X, top + h + 15, v === x1 && w < 200 ? "end" : "middle", show(v))];
      }),
      ...up.flatMap((v) => {
        const Y = top + p.y(v);
        const gridline = svg("path", { class: "fm-gridline", d: `M${left} ${Y}h${w}` });
        return [line(`M${left} ${Y}h-4`), gridline, text(left - 7, Y + 3.5, "end", show(v))];
      }),
      svg("text", { class: "fm-xlabel", x: left + w / 2, y: top + h + 31, "text-anchor": "middle" }, xlabel));
  };
  return p;
}

/** A labelled range input bound to a trait; its label, value and position always agree. */
function slider(life, model, { name, label, lo, hi, step, log, text = (v) => show(v, 6) }) {
  const last = log ? 200 : Math.round((hi - lo) / step);
  const snapped = snap({ lo, hi, step, log });
  const valueAt = (i) => snapped(log ? lo * (hi / lo) ** (i / last) : lo + i * step);
  const share = (v) => clamp(log ? Math.log(v / lo) / Math.log(hi / lo) : (v - lo) / (hi - lo), 0, 1);
  const input = html("input", { type: "range", min: 0, max: last, step: 1 });
  const value = html("span", { class: "fm-value", "aria-hidden": "true" });
  const marks = html("span", { class: "fm-marks", "aria-hidden": "true" });
  const root = html("label", { class: "fm-slider" }, html("span", { class: "fm-label" }, label), value,
    html("span", { class: "fm-track" }, input, marks));
  const update = () => {
    const v = model.get(name);
    input.value = Math.round(share(v) * last);
    value.textContent = text(v);
    input.setAttribute("aria-valuetext", text(v));
    input.style.setProperty("--fm-share", share(v));
  };
  life.on(input, "input", () => {
    model.set(name, valueAt(Number(input.value)));
    model.save_changes();
  });
  life.listen(model, [name], update);
  update();
  /** Ticks on the track: [{ at, text, color }]; those outside the range are not shown. */
  const mark = (list) => {
    const seen = list.filter(({ at }) => at >= lo && at <= hi).sort((a, b) => a.at - b.at);
    let row = 0, before = -1;
    marks.replaceChildren(...seen.map(({ at, text, color }) => {
      row = share(at) - before < 0.45 ? row + 1 : 0; // names that would touch go below each other
      before = share(at);
      const style = `--fm-share:${before};--fm-c:${color};--fm-row:${row}`;
      return html("span", { class: `fm-mark ${before > 0.6 ? "fm-left" : ""}`, style }, html("span", {}, text));
    }));
    marks.style.height = seen.length ? `${10 + 14 * row}px` : "";
  };
  return { root, input, mark };
}

/** A number put on the steps of a slider. */
function snap({ lo, hi, step, log }) {
  const digits = log ? 0 : Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const round = (v) => (log ? v.toPrecision(3) : (lo + Math.round((v - lo) / step) * step).toFixed(digits));
  return (v) => (v < hi - 1e-9 * Math.abs(hi) ? clamp(Number(round(v)), lo, hi) : hi); // the ends as they are
}

/** A labelled list of named values bound to a trait: options [[text, value], ...]. */
function choice(life, model, { name, label, options }) {
  const select = html("select", {}, ...options.map(([text], i) => html("option", { value: i }, text)));
  const update = () => { select.value = options.findIndex(([, value]) => value === model.get(name)); };
  life.on(select, "change", () => {
    model.set(name, options[select.value][1]);
    model.save_changes();
  });
  life.listen(model, [name], update);
  update();
  return { root: html("label", { class: "fm-choice" }, html("span", { class: "fm-label" }, label), select) };
}

/** The control that a spec asks for. */
const control = (life, model, options) => (options.options ? choice : slider)(life, model, options);

function button(life, label, action, attributes = {}) {
  const node = html("button", { type: "button", class: "fm-button", ...attributes }, label);
  life.on(node, "click", action);
  return node;
}

/** Buttons that switch things on and off: items { label, color, note }. Returns `update(isOn)`. */
function legend(life, place, items, toggle) {
  const nodes = items.map((item, i) => {
    const node = button(life, "", () => toggle(i), { class: "fm-chip", style: `--fm-c:${item.color}` });
    node.append(html("span", { class: "fm-swatch" }), item.label, html("span", { class: "fm-note" }, item.note ?? ""));
    return node;
  });
  place.append(...nodes);
  return (isOn) => nodes.forEach((node, i) => node.setAttribute("aria-pressed", String(isOn(i))));
}

/** Something the pointer drags (`pick(event)` says whether) and the arrow keys nudge by a share of the panel. */
function movable(life, p, { pick, to, handle, nudge }) {
  let held = false;
  life.on(p.plot, "pointerdown", (event) => {
    if (event.button !== 0 || !pick(event)) return;
    held = true;
    p.plot.setPointerCapture(event.pointerId);
    handle?.focus({ preventScroll: true });
    event.preventDefault();
    to(p.at(event));
  });
  life.on(p.plot, "pointermove", (event) => held && to(p.at(event)));
  life.on(p.plot, "pointerup pointercancel", () => { held = false; });
  const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  if (handle) life.on(handle, "keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    const size = event.shiftKey ? 0.002 : 0.02;
    nudge(...keys[event.key].map((k) => k * size));
  });
}

/** A button that runs a trait up to `last`: in seconds, or in a few jumps where less motion is asked for. */
function player(life, model, name, last, first = 0) {
  const icon = svg("path", {}), node = button(life, "", () => (from ? stop() : begin()), { class: "fm-play" });
  node.append(svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, icon));
  let from, written;
  const show = () => {
    set(node, { "aria-label": from ? "pause" : "play" });
    set(icon, { d: from ? "M4 3h3v10h-3zM9 3h3v10h-3z" : "M4.5 2.5v11l9-5.5z" });
  };
  const stop = () => {
    from = undefined;
    show();
  };
  const begin = () => {
    from = { value: model.get(name) >= last ? first : model.get(name) };
    show();
    tick();
  };
  const tick = life.frame((time) => {
    if (!from) return;
    from.time ??= time;
    const jump = matchMedia("(prefers-reduced-motion: reduce)").matches ? Math.ceil(last / 6) : 1;
    const done = ((time - from.time) / 6000) * last; // a whole run takes six seconds
    written = Math.min(last, from.value + Math.floor(done / jump) * jump);
    if (written !== model.get(name)) {
      model.set(name, written);
      model.save_changes();
    }
    if (written >= last) stop(); else tick();
  });
  life.listen(model, [name], () => from && model.get(name) !== written && stop());
  show();
  return node;
}

/** Numbers in an address, strictly: as many as there are ranges [lo, hi, whole], each in its own; else undefined. */
function parse(text, ranges) {
  const parts = text.split(",");
  const ok = parts.length === ranges.length && parts.every((part, i) => {
    const [lo, hi, whole] = ranges[i], v = Number(part);
    return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(part) && v >= lo && v <= hi && (!whole || Number.isInteger(v));
  });
  return ok ? parts.map(Number) : undefined;
}

/**
 * The state in the page's address: `#figure=2&alpha=1.5&...`. `fields`: name -> { read(text), write(value) };
 * what is absent, or is not a value of its field, is as in `initial`.
 */
function link(life, model, initial, fields) {
  const read = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    if (given.get("figure") !== String(model.place)) return;
    for (const [name, { read }] of Object.entries(fields)) {
      model.set(name, (given.has(name) ? read(given.get(name)) : undefined) ?? initial[name]);
    }
    model.save_changes();
  };
  const node = button(life, "link", () => {
    const parts = Object.entries(fields).map(([name, { write }]) => [name, write(model.get(name))]);
    const told = parts.filter(([, value]) => value !== ""); // what is as at first need not be told
    const text = told.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
    history.replaceState(null, "", `#figure=${model.place}&${text.replaceAll("%2C", ",")}`);
    node.textContent = "in the address";
    navigator.clipboard?.writeText(location.href).then(() => { node.textContent = "copied" }, () => {});
    restore();
  }, { title: "Put the state of this figure in the page's address" });
  const restore = life.later(1600, () => { node.textContent = "link"; });
  life.on(window, "hashchange", read);
  read();
  return node;
}

/** A list without an item, or with it where it was missing. */
const toggled = (list, item) => (list.includes(item) ? list.filter((other) => other !== item) : [...list, item]);

/** How controls are written in an address, and what is hidden: the numbers of its labels. */
function fieldsOf(controls, labels = []) {
  const list = {};
  for (const { name, lo, hi, whole, options } of controls) {
    const chosen = (text) => options.find(([, value]) => String(value) === text)?.[1];
    list[name] = { write: String, read: options ? chosen : (text) => parse(text, [[lo, hi, whole]])?.[0] };
  }
  if (labels.length) list.hidden = {
    write: (hidden) => hidden.map((label) => labels.indexOf(label)).join() || "none",
    read: (text) => (text === "none" ? []
      : parse(text, text.split(",").map(() => [0, labels.length - 1, true]))?.map((i) => labels[i])),
  };
  return list;
}

/** What every figure offers: back to where it was, and a link to where it is. */
function tools(life, model, ui, spec, fields) {
  ui.tools.append(button(life, "reset", () => {
    for (const [name, value] of Object.entries(spec.state)) model.set(name, value);
    model.save_changes();
  }, { title: "Put everything back as it was" }));
  if (model.place !== undefined) ui.tools.append(link(life, model, spec.state, fields));
}

/** Mathematics by the page's MathJax where there is one; elsewhere its plain form stays. */
function typeset(root) {
  const nodes = [...root.querySelectorAll(".fm-math")];
  if (!nodes.length || !window.MathJax || window.MathJax.Hub) return; // a Hub is version 2, which knows no promise
  for (const node of nodes) {
    node.classList.add("math");
    node.textContent = `\\(${node.dataset.tex}\\)`;
  }
  window.MathJax.startup?.promise?.then(() => window.MathJax.typesetPromise([root])); // else its first pass finds them
}

/** A module from its text. */
async function load(text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    return await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}
