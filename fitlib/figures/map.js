// Map: a number over two quantities, with a probe. First numbers, then drawing, then wiring.

const along = ({ lo, hi, log }, u) => (log ? lo * (hi / lo) ** u : lo + (hi - lo) * u);
const share = ({ lo, hi, log }, v) => (log ? Math.log(v / lo) / Math.log(hi / lo) : (v - lo) / (hi - lo));

/** From the state of the figure to its numbers: `value(x, y)`, a `grid(nx, ny)` of them, the `series` of one run. */
function engine(spec, code, get) {
  const { x, y } = spec, now = {}, all = Int32Array.from({ length: spec.points }, (_, i) => i);
  const columns = spec.columns?.map((column) => Float64Array.from(column));
  /** What references mean at a place of the map: a number stands for itself, a name for the axis or the control. */
  const read = (refs, a, b) => refs.map((ref) => {
    if (typeof ref !== "string") return ref;
    return ref === x.name ? a : ref === y.name ? b : get(ref);
  });
  /** The tracked value after every step of the run at a place, from step `from` on; the points go to `path`. */
  now.series = (a, b, path, from = 0) => {
    const parameters = read(spec.parameters, a, b), values = new Float64Array(spec.steps + 1).fill(NaN);
    const gradient = (g) => code.gradient(g, parameters, columns, all, g);
    const see = (t, state) => {
      path?.push([state[0], state[1]]);
      if (t < from) return Number.isFinite(state[0]);
      values[t] = code.loss(state, parameters, columns, all);
      return Number.isFinite(values[t]);
    };
    fold(code.rule, Float64Array.from(read(spec.hyper, a, b)), read(spec.start, a, b), spec.steps, gradient, see);
    return values;
  };
  const quarter = Math.floor(spec.steps / 4);
  const highest = (values, quarters) => {
    const from = spec.steps + 1 - quarters * quarter;
    return values.subarray(from, from + quarter).reduce((u, v) => Math.max(u, v));
  };
  const measures = {
    last: (values) => values[spec.steps],
    /** The factor per step on the root of the loss, between highest values, so that a swing does not count. */
    rate: (values) => (highest(values, 1) / highest(values, 3)) ** (1 / (4 * quarter)),
  };
  const [rows, across] = spec.shape ?? [];
  const cell = (axis, v, n) => clamp(Math.floor(share(axis, v) * n), 0, n - 1);
  now.cells = spec.cells && Float64Array.from(atob(spec.cells), (c) => spec.unpack[0] + spec.unpack[1] * c.charCodeAt(0));
  now.value = {
    function: (a, b) => code.value(...read(spec.arguments ?? [], a, b), read(spec.parameters, a, b)),
    run: (a, b) => measures[spec.measure](now.series(a, b, undefined, spec.measure === "last" ? spec.steps : 0)),
    grid: (a, b) => now.cells[cell(y, b, rows) * across + cell(x, a, across)],
  }[spec.source];
  now.grid = (nx, ny) => sample((u, v) => now.value(along(x, u), along(y, v)), [[0, 1], [0, 1]], nx, ny);
  now.boundary = ({ call, refs }) => Array.from({ length: 201 }, (_, i) => along(x, i / 200))
    .map((a) => [a, code.functions[call](a, read(refs, a))]);
  now.place = ({ refs, call, value }) => (refs ? code.functions[call](read(refs)) : value);
  return now;
}

/** A value of the map in words. */
function named(spec, v) {
  if (spec.categories) return spec.categories[v].label;
  const off = !Number.isFinite(v) || (spec.range && v > spec.range[1]);
  return off && spec.beyond ? `${show(v)} (${spec.beyond})` : show(v);
}

/** How values become colors: `ends` of the scale and `color(v)`; what is beyond the scale has its own. */
function scaleOf(spec, z, { stops, beyond }) {
  const f = spec.log ? Math.log : Number, last = stops.length - 1;
  const [lo, hi] = spec.range ?? quantiles(z.filter((v) => Number.isFinite(f(v))), [0, 0.98]);
  const color = (v) => {
    if (!(v <= hi) && (spec.range || !Number.isFinite(v))) return beyond;
    const at = clamp((f(v) - f(lo)) / (f(hi) - f(lo) || 1), 0, 1) * last, n = Math.min(last - 1, Math.floor(at));
    return [0, 1, 2].map((c) => stops[n][c] + (stops[n + 1][c] - stops[n][c]) * (at - n));
  };
  return { ends: [lo, hi], color };
}

function paint(canvas, z, nx, ny, color) {
  const image = new ImageData(nx, ny);
  z.forEach((v, k) => image.data.set([...color(v), 255], 4 * ((ny - 1 - Math.floor(k / nx)) * nx + (k % nx))));
  set(canvas, { width: nx, height: ny });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The map: its colors and lines, boundaries, marks, the path of the run where the axes are its start, the probe. */
function mapView(life, ui, spec, now, get, put) {
  const { x, y } = spec, axes = [x, y], name = `${spec.title} over ${x.label} and ${y.label}`;
  const p = panel(life, { title: y.label, name, xlabel: x.label, className: "fm-map", left: 46 });
  const canvas = html("canvas", { class: `fm-canvas ${spec.categories ? "fm-cells" : ""}`, "aria-hidden": "true" });
  p.box.prepend(canvas);
  const [lines, under, edges, way] = ["fm-level", "fm-halo", "fm-boundary", "fm-way"].map((name) => p.path(name));
  const signs = p.over.appendChild(svg("g", {}));
  const handle = svg("circle", { class: "fm-hit", r: 14, tabindex: 0, role: "slider", "aria-label": "probe" });
  const probe = p.over.appendChild(svg("g", { class: "fm-start fm-probe" }, handle,
    svg("circle", { r: 8, class: "fm-ring" }), svg("circle", { r: 2.5 })));

  const steps = axes.map(snap), to = (at) => axes.forEach(({ name }, i) => put(name, steps[i](at[i])));
  const nudge = (...by) => to(axes.map((axis, i) => {
    const v = get(axis.name), moved = along(axis, share(axis, v) + by[i]);
    return axis.log || Math.abs(moved - v) > axis.step ? moved : v + Math.sign(by[i]) * axis.step;
  }));
  movable(life, p, { handle, to, nudge, pick: (event) => event.pointerType !== "touch" || event.target === handle });
  life.on(p.plot, "click", (event) => event.pointerType === "touch" && p.hits(event) && to(p.at(event)));
  const look = (event) => { p.readout.textContent = p.hits(event) ? named(spec, now.value(...p.at(event))) : ""; };
  life.on(p.plot, "pointermove", look);
  life.on(p.plot, "pointerleave", () => { p.readout.textContent = ""; });

  let colors;
  const palette = (name, count) => Array.from({ length: count }, (_, i) => color(ui.root, `--fm-${name}-${i}`));
  const beside = ({ label, X, Y }) => svg("text", { class: "fm-name", x: X + (X > p.w * 0.6 ? -12 : 12), y: Y + 4,
    "text-anchor": X > p.w * 0.6 ? "end" : "start" }, label);
  const above = ({ label, X, Y }) => { // a letter is about 6.6 pixels wide
    const half = label.length * 3.3;
    return svg("text", { class: "fm-name", x: clamp(X, half, p.w - half), y: Y - 7, "text-anchor": "middle" }, label);
  };
  return {
    panel: p,
    repaint() { colors = undefined; },
    frame() { p.frame({ x: [x.lo, x.hi], y: [y.lo, y.hi], logX: x.log, log: y.log }); },
    /** The values as colors, `nx` across, with the lines of `levels`. Returns the scale. */
    surface(nx) {
      const [ny, across] = spec.shape ?? [Math.max(2, Math.round((nx * p.h) / p.w)), nx];
      const z = now.cells ?? now.grid(across, ny), over = spec.shape ? 0 : 1; // samples lie on the edges, cells do not
      colors ??= { stops: palette("map", 5), parts: palette("part", 8), beyond: color(ui.root, "--fm-beyond") };
      const scale = spec.categories ? { color: (v) => colors.parts[v] } : scaleOf(spec, z, colors);
      paint(canvas, z, across, ny, scale.color);
      const dx = p.w / (across - over), dy = p.h / (ny - over), [left, top] = [(over * dx) / 2, (over * dy) / 2];
      set(canvas, { style: `left:${p.left - left}px;top:${p.top - top}px;width:${across * dx}px;height:${ny * dy}px;`
        + `clip-path:inset(${top}px ${left}px)` });
      const point = (u, v) => `${((u / (across - 1)) * p.w).toFixed(1)} ${((1 - v / (ny - 1)) * p.h).toFixed(1)}`;
      const d = spec.levels.map((level) => {
        const at = contours(z, across, ny, level);
        return at.map((_, i) => (i % 4 ? "" : `M${point(at[i], at[i + 1])}L${point(at[i + 2], at[i + 3])}`)).join("");
      });
      set(lines, { d: d.join("") });
      return scale;
    },
    marks() {
      const drawn = spec.boundaries.map((one) =>
        ({ ...one, points: now.boundary(one).map(([a, b]) => [p.x(a), p.y(b)]) }));
      const d = drawn.map(({ points }) => trace(points.map(([X]) => X), points.map(([, Y]) => Y))).join("");
      set(under, { d });
      set(edges, { d });
      const placed = [], free = ([X, Y]) => placed.every(([U, V]) => Math.abs(X - U) > 90 || Math.abs(Y - V) > 16);
      const names = drawn.flatMap(({ label, points }) => { // where the line is well inside, and no other name is
        const inside = points.filter(([, Y]) => Y > 22 && Y < p.h - 6);
        if (!inside.length) return [];
        const spots = [0.6, 0.35, 0.85, 0.1].map((share) => inside[Math.floor(inside.length * share)]);
        const [X, Y] = spots.find(free) ?? spots[0];
        placed.push([X, Y]);
        return [above({ label, X, Y })];
      });
      const targets = spec.marks.flatMap((mark) => {
        const [a, b] = now.place(mark), [X, Y] = [p.x(a), p.y(b)];
        const ring = svg("path", { class: "fm-target", d: TARGET, transform: `translate(${X} ${Y})` });
        return X >= 0 && X <= p.w && Y >= 0 && Y <= p.h ? [ring, beside({ ...mark, X, Y })] : [];
      });
      signs.replaceChildren(...names, ...targets);
    },
    probe(path) {
      const [a, b] = [get(x.name), get(y.name)];
      set(probe, { transform: `translate(${p.x(a)} ${p.y(b)})` });
      set(handle, { "aria-valuenow": a, "aria-valuetext": `${x.label} ${show(a)}, ${y.label} ${show(b)}` });
      if (spec.ways) set(way, { d: trace(path.map(([u]) => p.x(u)), path.map(([, v]) => p.y(v))) });
    },
  };
}

/** What the colors mean: parts with their shares, or a scale from low to high. */
function keyView(spec) {
  const box = (fill) => html("span", { class: "fm-box", style: `background:var(${fill})` });
  const part = (fill, ...text) => html("div", { class: "fm-part" }, box(fill), ...text);
  const root = html("div", { class: "fm-key" }, html("div", { class: "fm-title" }, spec.title));
  const ends = [html("span", {}), html("span", {})];
  if (spec.categories) {
    const note = (share) => html("span", { class: "fm-note" }, `${show(100 * share)} %`);
    root.append(...spec.categories.map(({ label, share }, i) => part(`--fm-part-${i}`, label, note(share))));
  } else {
    root.append(html("div", { class: "fm-scale" }), html("div", { class: "fm-ends" }, ...ends));
    if (spec.beyond) root.append(part("--fm-beyond", spec.beyond));
  }
  return { root, update: (scale) => ends.forEach((node, i) => { node.textContent = show(scale.ends?.[i]); }) };
}

/** The run at the probe: its value against the step. */
function runView(life, { tracked, steps, logValue: log }) {
  const p = panel(life, { title: `${tracked} at the probe`, xlabel: "step" });
  const line = p.path("fm-way");
  return {
    panel: p,
    draw(values) {
      const seen = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
      const lo = Math.min(...seen), hi = Math.max(...seen), pad = (hi - lo || 1) / 20;
      p.frame({ x: [0, steps], y: log ? [Math.max(lo / 1.5, hi * 1e-16), hi * 1.5] : [lo - pad, hi + pad], log });
      set(line, { d: trace(values.map((_, t) => p.x(t)), values.map(p.y)) });
    },
  };
}

/** The numbers behind the colors, on a coarse grid and at the probe. */
function numbers(spec, now, get) {
  const { x, y } = spec, places = (axis) => [0, 0.25, 0.5, 0.75, 1].map((u) => along(axis, u)).concat(get(axis.name));
  const columns = places(x), row = (b) => [show(b), ...columns.map((a) => named(spec, now.value(a, b)))];
  const caption = `${spec.title}: a row for each ${y.label}, a column for each ${x.label}; the probe's are the last`;
  return [table(caption, ["", ...columns.map((a) => show(a))], places(y).map(row))];
}

async function render({ model, el }) {
  const spec = model.get("_spec"), code = await load(spec.code), life = lifecycle(), ui = shell(el, spec, life);
  const get = (name) => model.get(name), { x, y } = spec;
  const put = (name, value) => { model.set(name, value); model.save_changes(); };
  const now = engine(spec, code, get), map = mapView(life, ui, spec, now, get, put), key = keyView(spec);
  const run = spec.source === "run" && runView(life, spec);
  ui.panels.append(map.panel.root, html("div", { class: "fm-side" }, key.root, ...(run ? [run.panel.root] : [])));

  const cost = (spec.steps || 20) * (1 + spec.points / 6), finest = clamp(Math.round(Math.sqrt(1.5e6 / cost)), 24, 120);
  const dirty = new Set(["size", "surface"]);
  const fine = life.later(60, () => key.update(map.surface(finest)));
  const tables = ui.tables(() => numbers(spec, now, get));
  const draw = () => {
    if (dirty.has("size")) map.frame();
    if (dirty.size) {
      key.update(map.surface(Math.min(finest, 36))); // a coarse one now, the fine one when the hand rests
      fine();
      map.marks();
    }
    const [a, b] = [get(x.name), get(y.name)], path = [];
    if (run) run.draw(now.series(a, b, path));
    map.probe(path);
    const places = spec.marks.map((mark) => `${mark.label}: (${now.place(mark).map((v) => show(v)).join(", ")})`);
    const here = `at ${x.label} = ${show(a, 4)} and ${y.label} = ${show(b, 4)}`;
    ui.say(sentences([`${here}: ${spec.title} ${named(spec, now.value(a, b))}`, ...places]));
    tables();
    dirty.clear();
  };
  const request = life.frame(draw);
  const touch = (what) => { dirty.add(what); request(); };
  const names = spec.sliders.map(({ name }) => name);
  ui.controls.append(...spec.sliders.map((options) => control(life, model, options).root));
  life.listen(model, [x.name, y.name], request);
  life.listen(model, names.filter((name) => name !== x.name && name !== y.name), () => touch("surface"));
  tools(life, model, ui, spec, fieldsOf(spec.sliders));
  draw();
  life.resized(ui.panels, () => touch("size"));
  life.themed(ui.root, () => { map.repaint(); touch("surface"); });
  return () => life.end();
}

export default { render };
