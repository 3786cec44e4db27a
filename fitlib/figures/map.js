// Map: a number over two quantities, with a probe. First numbers, then drawing, then wiring.

/** From the state of the figure to its numbers: `value(x, y)`, the map's `grid(nx, ny)`, the `series` of one run. */
function engine(spec, code, get) {
  const { x, y, source } = spec, along = ({ lo, hi, log }, u) => (log ? lo * (hi / lo) ** u : lo + (hi - lo) * u);
  const all = Int32Array.from({ length: spec.points }, (_, i) => i), columns = spec.columns?.map((column) => Float64Array.from(column));
  const now = {};
  /** What references mean at a place of the map: a number stands for itself, a name for the axis or control. */
  const read = (refs, a, b) => refs.map((ref) => (ref === x.name ? a : ref === y.name ? b : typeof ref === "string" ? get(ref) : ref));
  /** The tracked value after every step of the run at a place; the points go to `path`. */
  now.series = (a, b, path) => {
    const parameters = read(spec.parameters, a, b), values = new Float64Array(spec.steps + 1).fill(NaN);
    const start = Float64Array.from(read(spec.start, a, b));
    fold(code.rule, Float64Array.from(read(spec.hyper, a, b)), start, spec.steps, (g) => code.gradient(g, parameters, columns, all, g), (t, state) => {
      values[t] = code.loss(state, parameters, columns, all);
      path?.push([state[0], state[1]]);
      return Number.isFinite(values[t]);
    });
    return values;
  };
  const quarter = Math.floor(spec.steps / 4), highest = (values, from) => values.slice(from, from + quarter).reduce((a, b) => Math.max(a, b));
  const measures = {
    last: (values) => values[spec.steps],
    /** The factor per step on the distance (the root of the loss), between the second quarter and the last: oscillations count by their height. */
    rate: (values) => (highest(values, spec.steps - quarter + 1) / highest(values, spec.steps - 3 * quarter + 1)) ** (1 / (4 * quarter)),
  };
  now.value = {
    function: (a, b) => code.value(...read(spec.arguments, a, b), read(spec.parameters, a, b)),
    run: (a, b) => measures[spec.measure](now.series(a, b)),
    grid: (a, b) => {
      const cell = ({ lo, hi, log }, v, n) => clamp(Math.floor((log ? Math.log(v / lo) / Math.log(hi / lo) : (v - lo) / (hi - lo)) * n), 0, n - 1);
      return code.cells[cell(y, b, spec.shape[0]) * spec.shape[1] + cell(x, a, spec.shape[1])];
    },
  }[source];
  now.grid = (nx, ny) => sample((u, v) => now.value(along(x, u), along(y, v)), [[0, 1], [0, 1]], nx, ny);
  now.boundary = ({ call, refs }) => Array.from({ length: 201 }, (_, i) => {
    const a = along(x, i / 200);
    return [a, code.functions[call](a, read(refs, a))];
  });
  now.place = (mark) => (mark.refs ? code.functions[mark.call](read(mark.refs)) : mark.value);
  return now;
}

const STOPS = 5; // colors of the map, from low to high, in the stylesheet

/** How values become colors: `ends` of the scale, and `color(value)`; what is beyond the scale has a color of its own. */
function scaleOf(spec, z, stops, beyond) {
  const f = spec.log ? Math.log : Number;
  const finite = z.filter((v) => Number.isFinite(f(v))), [lo, hi] = spec.range ?? quantiles(finite, [0, 0.98]);
  const color = (v) => {
    if (!(v <= hi) && (spec.range || !Number.isFinite(v))) return beyond;
    const at = clamp((f(v) - f(lo)) / (f(hi) - f(lo) || 1), 0, 1) * (STOPS - 1), n = Math.min(STOPS - 2, Math.floor(at));
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

const called = (spec, v) => (spec.categories ? spec.categories[v].label : Number.isFinite(v) && !(spec.range && v > spec.range[1]) ? show(v) : `${show(v)}${spec.beyond && ` (${spec.beyond})`}`);

/** The map with boundaries, marks, the path of the run where the axes are its start, and the probe. */
function mapView(life, ui, spec, now, get, put) {
  const { x, y } = spec, p = panel(life, { title: y.label, name: `${spec.title} over ${x.label} and ${y.label}`, xlabel: x.label, className: "fm-map", left: 46 });
  const canvas = html("canvas", { class: `fm-canvas ${spec.categories ? "fm-cells" : ""}`, "aria-hidden": "true" });
  p.box.prepend(canvas);
  const path = (name) => p.inside.appendChild(svg("path", { class: name }));
  const lines = path("fm-contours fm-level"), under = path("fm-halo"), edges = path("fm-boundary"), way = path("fm-way"), signs = p.over.appendChild(svg("g", {}));
  const handle = svg("circle", { class: "fm-hit", r: 14, tabindex: 0, role: "slider", "aria-label": `probe: ${x.label}, ${y.label}` });
  const probe = p.over.appendChild(svg("g", { class: "fm-start fm-probe" }, handle, svg("circle", { r: 8, class: "fm-ring" }), svg("circle", { r: 2.5 })));
  const round = [snap(x), snap(y)], axes = [x, y];
  const to = (at) => axes.forEach(({ name }, i) => put(name, round[i](at[i])));
  const moved = ({ name, lo, hi, log, step }, by) => (log ? get(name) * (hi / lo) ** by : get(name) + Math.sign(by) * Math.max(step, Math.abs(by) * (hi - lo)));
  movable(life, p, { handle, to, pick: (event) => event.pointerType !== "touch" || event.target === handle,
    nudge: (u, v) => to([u, v].map((by, i) => (by ? moved(axes[i], by) : get(axes[i].name)))) });
  life.on(p.plot, "click", (event) => event.pointerType === "touch" && p.hits(event) && to(p.at(event)));
  life.on(p.plot, "pointermove", (event) => { p.readout.textContent = p.hits(event) ? called(spec, now.value(...p.at(event))) : ""; });
  life.on(p.plot, "pointerleave", () => { p.readout.textContent = ""; });

  let colors;
  return {
    panel: p,
    repaint() { colors = undefined; },
    frame() { p.frame({ x: [x.lo, x.hi], y: [y.lo, y.hi], logX: x.log, log: y.log }); },
    /** The values as colors, `nx` across. Returns the scale. */
    surface(nx) {
      const ny = spec.shape ? spec.shape[0] : Math.max(2, Math.round((nx * p.h) / p.w)), across = spec.shape?.[1] ?? nx;
      const z = spec.shape ? now.cells : now.grid(across, ny);
      colors ??= { stops: Array.from({ length: STOPS }, (_, i) => color(ui.root, `--fm-map-${i}`)), beyond: color(ui.root, "--fm-beyond"),
        categories: spec.categories?.map((_, i) => color(ui.root, `--fm-part-${i}`)) };
      const scale = spec.categories ? { color: (v) => colors.categories[v] } : scaleOf(spec, z, colors.stops, colors.beyond);
      paint(canvas, z, across, ny, scale.color);
      const half = spec.shape ? 0 : 0.5; // samples lie on the edges of the panel, the cells of a grid do not
      const [dx, dy] = [p.w / (across - 2 * half), p.h / (ny - 2 * half)];
      set(canvas, { style: `left:${p.left - half * dx}px;top:${p.top - half * dy}px;width:${across * dx}px;height:${ny * dy}px;`
        + `clip-path:inset(${half * dy}px ${half * dx}px)` });
      const X = (v) => ((v / (across - 1)) * p.w).toFixed(1), Y = (v) => ((1 - v / (ny - 1)) * p.h).toFixed(1);
      let d = "";
      for (const level of spec.levels) {
        const at = contours(z, across, ny, level);
        for (let i = 0; i < at.length; i += 4) d += `M${X(at[i])} ${Y(at[i + 1])}L${X(at[i + 2])} ${Y(at[i + 3])}`;
      }
      set(lines, { d });
      return scale;
    },
    marks() {
      const drawn = spec.boundaries.map((one) => ({ label: one.label, points: now.boundary(one) }));
      const d = drawn.map(({ points }) => trace(points.map(([a]) => p.x(a)), points.map(([, b]) => p.y(b)))).join("");
      set(under, { d });
      set(edges, { d });
      const named = drawn.flatMap(({ label, points }) => { // its name stands where the line is well inside
        const inside = points.filter(([, b]) => p.y(b) > 16 && p.y(b) < p.h - 6), [a, b] = inside[Math.floor(inside.length * 0.6)] ?? [];
        return inside.length ? [{ label, X: p.x(a), Y: p.y(b) - 7 }] : [];
      });
      const targets = spec.marks.map((mark) => [mark.label, now.place(mark)]).map(([label, [a, b]]) => ({ label, X: p.x(a), Y: p.y(b) }))
        .filter(({ X, Y }) => X >= 0 && X <= p.w && Y >= 0 && Y <= p.h);
      const beside = ({ label, X, Y }) => svg("text", { class: "fm-name", x: X + (X > p.w * 0.6 ? -12 : 12), y: Y + 4,
        "text-anchor": X > p.w * 0.6 ? "end" : "start" }, label);
      const above = ({ label, X, Y }) => svg("text", { class: "fm-name", x: clamp(X, label.length * 3.3, p.w - label.length * 3.3), y: Y,
        "text-anchor": "middle" }, label); // a letter is about 6.6 pixels wide
      const ring = ({ X, Y }) => svg("path", { class: "fm-target", d: TARGET, transform: `translate(${X} ${Y})` });
      signs.replaceChildren(...named.map(above), ...targets.flatMap((one) => [ring(one), beside(one)]));
    },
    probe(points) {
      const [a, b] = [get(x.name), get(y.name)];
      set(probe, { transform: `translate(${p.x(a)} ${p.y(b)})` });
      set(handle, { "aria-valuenow": a, "aria-valuetext": `${x.label} ${show(a)}, ${y.label} ${show(b)}` });
      if (spec.ways) set(way, { d: trace(points.map(([u]) => p.x(u)), points.map(([, v]) => p.y(v))) });
    },
  };
}

/** What the colors mean: named parts with their shares, or a scale from low to high. */
function keyView(spec) {
  const place = html("div", { class: "fm-key" }, html("div", { class: "fm-title" }, spec.title));
  if (spec.categories) {
    place.append(...spec.categories.map(({ label, share }, i) => html("div", { class: "fm-part" },
      html("span", { class: "fm-box", style: `background:var(--fm-part-${i})` }), label, html("span", { class: "fm-note" }, `${show(100 * share)} %`))));
    return { root: place, update() {} };
  }
  const ends = [html("span", {}), html("span", {})];
  place.append(html("div", { class: "fm-scale" }), html("div", { class: "fm-ends" }, ...ends));
  if (spec.beyond) place.append(html("div", { class: "fm-part" }, html("span", { class: "fm-box", style: "background:var(--fm-beyond)" }), spec.beyond));
  return { root: place, update(scale) { ends.forEach((node, i) => { node.textContent = show(scale.ends[i]); }); } };
}

/** The run at the probe: its value against the step. */
function runView(life, spec) {
  const p = panel(life, { title: `${spec.tracked} at the probe`, xlabel: "step" }), line = p.inside.appendChild(svg("path", { class: "fm-way" }));
  return {
    panel: p,
    draw(values) {
      const seen = values.filter((v) => Number.isFinite(v) && (!spec.logValue || v > 0)), lo = Math.min(...seen), hi = Math.max(...seen), pad = (hi - lo || 1) / 20;
      p.frame({ x: [0, spec.steps], y: spec.logValue ? [Math.max(lo / 1.5, hi * 1e-16), hi * 1.5] : [lo - pad, hi + pad], log: spec.logValue });
      set(line, { d: trace(values.map((_, t) => p.x(t)), values.map(p.y)) });
    },
  };
}

function numbers(spec, now, get) {
  const { x, y } = spec, at = (axis) => [0, 0.25, 0.5, 0.75, 1].map((u) => (axis.log ? axis.lo * (axis.hi / axis.lo) ** u : axis.lo + (axis.hi - axis.lo) * u));
  const rows = [...at(y), get(y.name)], columns = [...at(x), get(x.name)];
  return [table(`${spec.title}: ${y.label} by row, ${x.label} by column; the probe's are last`, ["", ...columns.map((a) => show(a))],
    rows.map((b) => [show(b), ...columns.map((a) => called(spec, now.value(a, b)))]))];
}

async function render({ model, el }) {
  const spec = model.get("_spec"), code = { ...(await load(spec.code)) }, life = lifecycle(), ui = shell(el, spec, life);
  const get = (name) => model.get(name), { x, y } = spec;
  const put = (name, value) => { model.set(name, value); model.save_changes(); };
  const now = engine(spec, code, get);
  if (spec.cells) now.cells = code.cells = Float64Array.from(atob(spec.cells), (c) => spec.unpack[0] + spec.unpack[1] * c.charCodeAt(0));
  const map = mapView(life, ui, spec, now, get, put), key = keyView(spec), run = spec.source === "run" && runView(life, spec);
  ui.panels.append(map.panel.root, html("div", { class: "fm-side" }, key.root, ...(run ? [run.panel.root] : [])));

  const dirty = new Set(["size", "surface"]), cost = spec.source === "run" ? spec.steps : 20;
  const finest = clamp(Math.round(Math.sqrt(1.5e6 / cost)), 24, 120);
  const fine = life.later(60, () => key.update(map.surface(finest)));
  const tables = ui.tables(() => numbers(spec, now, get));
  const draw = () => {
    if (dirty.has("size")) map.frame();
    if (dirty.size) {
      key.update(map.surface(Math.min(finest, 36))); // a coarse one now, the fine one when the hand rests
      fine();
      map.marks();
    }
    const at = [get(x.name), get(y.name)], points = [];
    if (run) run.draw(now.series(...at, points));
    map.probe(points);
    const places = spec.marks.map((mark) => `${mark.label}: (${now.place(mark).map((v) => show(v)).join(", ")})`);
    ui.say([`At ${x.label} = ${show(at[0], 4)} and ${y.label} = ${show(at[1], 4)}: ${spec.title} ${called(spec, now.value(...at))}`, ...places].map((text) => `${text[0].toUpperCase()}${text.slice(1)}.`).join(" "));
    tables();
    dirty.clear();
  };
  const request = life.frame(draw);
  const touch = (what) => { dirty.add(what); request(); };
  ui.controls.append(...spec.sliders.map((options) => control(life, model, options).root));
  life.listen(model, [x.name, y.name], request);
  life.listen(model, spec.sliders.map(({ name }) => name).filter((name) => name !== x.name && name !== y.name), () => touch("surface"));
  tools(life, model, ui, spec, fieldsOf(spec.sliders));
  draw();
  life.resized(ui.panels, () => touch("size"));
  life.themed(() => { map.repaint(); touch("surface"); });
  return () => life.end();
}

export default { render };
